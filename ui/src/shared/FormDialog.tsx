import { Button, CloseButton, Dialog, Portal, Stack } from "@chakra-ui/react";
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react";

/** Takes whether the form in a dialog waits for an answer. */
const Hold = createContext<(busy: boolean) => void>(() => undefined);

/** Where the focus begins: at the first field, else at Cancel, so that a key pressed too early does nothing. */
const firstOf = (dialog: HTMLElement | null) =>
  dialog?.querySelector<HTMLElement>("input, textarea, select") ??
  dialog?.querySelector<HTMLElement>("[data-cancel]") ??
  null;

/** A dialog around a form, which begins anew each time that it is opened. It stays until an answer is there. */
export const FormDialog = ({
  open,
  onClose,
  focusAfter,
  role = "dialog",
  size = "md",
  children,
}: {
  open: boolean;
  onClose: () => void;
  /** What has the focus once it is closed; null: the button that opened it. */
  focusAfter?: () => HTMLElement | null;
  role?: "dialog" | "alertdialog";
  size?: "md" | "lg";
  children: ReactNode;
}) => {
  const [busy, setBusy] = useState(false);
  const content = useRef<HTMLDivElement>(null);
  return (
    <Dialog.Root
      closeOnEscape={!busy}
      closeOnInteractOutside={false} // what was typed is not lost by a click beside it
      finalFocusEl={focusAfter}
      initialFocusEl={() => firstOf(content.current)}
      lazyMount
      onOpenChange={(change) => {
        if (!change.open && !busy) onClose();
      }}
      open={open}
      role={role}
      size={size}
      unmountOnExit
    >
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner>
          <Dialog.Content ref={content}>
            <Hold value={setBusy}>{children}</Hold>
            <Dialog.CloseTrigger asChild>
              <CloseButton aria-disabled={busy} aria-label="Close" size="sm" title={whyNot(busy)} />
            </Dialog.CloseTrigger>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
};

/** Why a dialog does not close; it can have the focus all the same, for there may be nothing else to have it. */
const whyNot = (busy: boolean) => (busy ? "It is under way: wait for the answer" : undefined);

/** The inside of a dialog that asks for something: its fields, what went wrong, and the way out and on. */
export const DialogForm = ({
  title,
  busy,
  error = null,
  buttons,
  onClose,
  onSubmit,
  children,
}: {
  title: string;
  /** An answer is awaited: until then nobody leaves, who would not learn what came of it. */
  busy: boolean;
  /** What went wrong, as text or lines; null for nothing. */
  error?: ReactNode;
  /** What stands beside Cancel; one of them submits. */
  buttons: ReactNode;
  onClose: () => void;
  onSubmit: () => void;
  children: ReactNode;
}) => {
  const hold = useContext(Hold);
  useEffect(() => {
    hold(busy);
    return () => {
      hold(false);
    };
  }, [busy, hold]);
  return (
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
        <Button
          aria-disabled={busy}
          data-cancel
          onClick={() => {
            if (!busy) onClose();
          }}
          title={whyNot(busy)}
          variant="outline"
        >
          Cancel
        </Button>
        {buttons}
      </Dialog.Footer>
    </form>
  );
};
