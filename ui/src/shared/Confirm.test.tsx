import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";

import { Confirm } from "./Confirm";

afterEach(cleanup);

function ask(more: { reason?: string; typed?: string }) {
  const told = {
    onClose: vi.fn<() => void>(),
    onConfirm: vi.fn<() => Promise<void>>(() => Promise.resolve()),
  };
  render(
    <ChakraProvider value={defaultSystem}>
      <Confirm action="Go on" open title="Go on?" {...told} {...more}>
        It can&apos;t be taken back.
      </Confirm>
    </ChakraProvider>,
  );
  return told;
}

test("a reason of several words can be typed at once, and is what is told", async () => {
  const { onClose, onConfirm } = ask({ reason: "Why?" });
  await waitFor(() => {
    expect(document.activeElement).toBe(screen.getByRole("textbox", { name: /^Why/ }));
  });
  await userEvent.keyboard("the ERP was down");
  expect(onClose).not.toHaveBeenCalled();
  await userEvent.keyboard("{Enter}");
  await waitFor(() => {
    expect(onConfirm).toHaveBeenCalledWith("the ERP was down");
  });
});

test.each([
  ["a name that must be typed has the focus", { typed: "acme" }, "textbox", "Type acme to go on"],
  ["where nothing is to be typed, Cancel has the focus", {}, "button", "Cancel"],
])("%s", async (_, asked, role, name) => {
  ask(asked);
  await waitFor(() => {
    expect(document.activeElement).toBe(screen.getByRole(role, { name }));
  });
});
