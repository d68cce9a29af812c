import { createToaster, Portal, Stack, Toast, Toaster as Place } from "@chakra-ui/react";

import type { ReactNode } from "react";

import { messageOf } from "./api";

export const toaster = createToaster({ placement: "bottom-end", pauseOnPageIdle: true });

export const say = (title: string, description?: ReactNode) =>
  toaster.create({ title, description, type: "success", duration: 5000 });

/** Says what failed, and why; stays until it is read. */
export const complain = (title: string, error: unknown) =>
  toaster.create({ title, description: messageOf(error), type: "error", duration: 15_000, closable: true });

export const Toaster = () => (
  <Portal>
    <Place toaster={toaster}>
      {(toast) => (
        <Toast.Root width={{ md: "sm" }}>
          <Toast.Indicator />
          <Stack flex="1" gap={1} maxWidth="100%">
            {toast.title !== undefined && <Toast.Title>{toast.title}</Toast.Title>}
            {toast.description !== undefined && <Toast.Description>{toast.description}</Toast.Description>}
          </Stack>
          {toast.closable === true && <Toast.CloseTrigger aria-label="Close" />}
        </Toast.Root>
      )}
    </Place>
  </Portal>
);
