import { CloseButton, Dialog, Portal } from "@chakra-ui/react";
import type { ReactNode } from "react";

/** A dialog around a form, which begins anew each time that it is opened. */
export const FormDialog = ({
  open,
  onClose,
  size = "md",
  children,
}: {
  open: boolean;
  onClose: () => void;
  size?: "md" | "lg";
  children: ReactNode;
}) => (
  <Dialog.Root
    lazyMount
    onOpenChange={(change) => {
      if (!change.open) onClose();
    }}
    open={open}
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
