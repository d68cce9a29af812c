import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { act, lazy, Suspense } from "react";
import { createMemoryRouter, RouterProvider, useParams } from "react-router-dom";
import { afterEach, expect, test } from "vitest";

import { Settled } from "./Settled";

afterEach(cleanup);

const Page = () => (
  <Settled>
    <input aria-label="typed" />
  </Settled>
);

/** As Airflow does it: through React.lazy until the bundle has put its component into place. */
let loaded: typeof Page | undefined;
const Lazy = lazy(() => {
  loaded = Page;
  return Promise.resolve({ default: Page });
});
const Host = () => {
  useParams();
  if (loaded !== undefined) return <Page />;
  return (
    <Suspense>
      <Lazy />
    </Suspense>
  );
};

test("what is typed first outlives Airflow's next rendering", async () => {
  const router = createMemoryRouter([{ path: "plugin/:page", element: <Host /> }], {
    initialEntries: ["/plugin/flows?card=about"],
  });
  render(
    <ChakraProvider value={defaultSystem}>
      <RouterProvider router={router} />
    </ChakraProvider>,
  );
  fireEvent.change(await screen.findByRole("textbox", { name: "typed" }), { target: { value: "mine" } });
  await act(() => router.navigate("/plugin/flows?card=script"));
  expect(screen.getByRole<HTMLInputElement>("textbox", { name: "typed" }).value).toBe("mine");
  expect(router.state.location.search).toBe("?card=script");
});
