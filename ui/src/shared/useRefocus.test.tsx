import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import { useRefocus } from "./useRefocus";

afterEach(cleanup);

const Work = ({ busy }: { busy: boolean }) => {
  useRefocus(busy);
  return (
    <>
      <button type="button">Run</button>
      <button type="button">Elsewhere</button>
    </>
  );
};

const focused = () => document.activeElement?.textContent;

/** Begin with a button, which loses the focus meanwhile, as browsers have it with one that is disabled. */
function begin() {
  const { rerender } = render(<Work busy={false} />);
  screen.getByText("Run").focus();
  rerender(<Work busy />);
  screen.getByText("Run").blur();
  expect(document.activeElement).toBe(document.body);
  return () => {
    rerender(<Work busy={false} />);
  };
}

test("what had the focus when something began has it again at the end", () => {
  const end = begin();
  end();
  expect(focused()).toBe("Run");
});

test("who went elsewhere meanwhile stays there", () => {
  const end = begin();
  screen.getByText("Elsewhere").focus();
  end();
  expect(focused()).toBe("Elsewhere");
});
