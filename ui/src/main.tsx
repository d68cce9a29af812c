import { App, type Page, type PluginProps } from "./App";
import { ErrorBoundary } from "./ErrorBoundary";
import { Settled } from "./Settled";

const pageFor = (page: Page) => {
  const Registered = (props: PluginProps) => (
    <ErrorBoundary>
      <Settled>
        <App {...props} page={page} />
      </Settled>
    </ErrorBoundary>
  );
  Registered.displayName = page;
  return Registered;
};

// Airflow loads the bundle once and asks for the component by each registered name.
const pages: Page[] = ["Flows", "Flow", "Requests"];
for (const page of pages) Reflect.set(globalThis, page, pageFor(page));

export default pageFor("Flows");
