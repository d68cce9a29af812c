import { Button, Menu, Portal } from "@chakra-ui/react";
import { useRef } from "react";

import type { FlowRow } from "../types";

/** Is told which button opened the menu: it has the focus again after a dialog. */
type Asks = (button: HTMLButtonElement | null) => void;

interface Actions {
  flow: FlowRow;
  writable: boolean;
  mayCreate: boolean;
  onCopy: Asks;
  onExport: () => void;
  onSwitch: () => void;
  onDelete: Asks;
}

/** What can be done with one flow of the list. */
export const RowMenu = ({ flow, writable, mayCreate, onCopy, onExport, onSwitch, onDelete }: Actions) => {
  const button = useRef<HTMLButtonElement>(null);
  const edits = writable && flow.rights.edit;
  return (
    <Menu.Root>
      <Menu.Trigger asChild>
        <Button aria-label={`Actions for ${flow.id}`} ref={button} size="xs" variant="ghost">
          ⋯
        </Button>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content>
            <Menu.Item
              disabled={!mayCreate}
              onClick={() => {
                onCopy(button.current);
              }}
              value="copy"
            >
              Duplicate
            </Menu.Item>
            <Menu.Item onClick={onExport} value="export">
              Export (zip)
            </Menu.Item>
            <Menu.Item disabled={!edits} onClick={onSwitch} value="switch">
              {flow.enabled ? "Disable" : "Enable"}
            </Menu.Item>
            <Menu.Item
              color="red.fg"
              disabled={!edits}
              onClick={() => {
                onDelete(button.current);
              }}
              value="delete"
            >
              Delete…
            </Menu.Item>
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
};
