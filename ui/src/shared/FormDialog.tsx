import { Button, CloseButton, Dialog, Portal, Stack } from "@chakra-ui/react";
import type { ReactNode } from "react";

/** A dialog around a form, which begins anew each time that it is opened. */
export const FormDialog = ({
  open,
  onClose,
  role = "dialog",
  size = "md",
  children,
}: {
  open: boolean;
  onClose: () => void;
  role?: "dialog" | "alertdialog";
  size?: "md" | "lg";
  children: ReactNode;
}) => (
  <Dialog.Root
    lazyMount
    onOpenChange={(change) => {
      if (!change.open) onClose();
    }}
    open={open}
    role={role}
    size={size}
    unmountOnExit
  >
    <Portal>
      <Dialog.Backdrop />
      <Dialog.Positioner>
        <Dialog.Content>
          {children}
          <Dialog.CloseTrigger asChild>
            <CloseButton aria-label="Close" size="sm" />
          </Dialog.CloseTrigger>
        </Dialog.Content>
      </Dialog.Positioner>
    </Portal>
  </Dialog.Root>
);

/** The inside of a dialog that asks for something: its fields, what went wrong, and the way out and on. */
export const DialogForm = ({
  title,
  error = null,
  buttons,
  onClose,
  onSubmit,
  children,
}: {
  title: string;
  /** What went wrong, as text or lines; null for nothing. */
  error?: ReactNode;
  /** What stands beside Cancel; one of them submits. */
  buttons: ReactNode;
  onClose: () => void;
  onSubmit: () => void;
  children: ReactNode;
}) => (
  <form
    onSubmit={(event) => {
      event.preventDefault();
      onSubmit();
    }}
  >
    <Dialog.Header>
      <Dialog.Title>{title}</Dialog.Title>
    </Dialog.Header>
    <Dialog.Body maxHeight="65vh" overflowY="auto">
      <Stack gap={4}>
        {children}
        {error !== null && (
          <Stack color="red.fg" gap={0} role="alert">
            {error}
          </Stack>
        )}
      </Stack>
    </Dialog.Body>
    <Dialog.Footer>
      <Button onClick={onClose} variant="outline">
        Cancel
      </Button>
      {buttons}
    </Dialog.Footer>
  </form>
);
