import { defineConfig } from "vitest/config";

// Airflow gives these to its React plugins as globals: nothing of them may be in the bundle.
const globals = {
  "@chakra-ui/react": "ChakraUI",
  "@emotion/react": "EmotionReact",
  react: "React",
  "react-dom": "ReactDOM",
  "react-router-dom": "ReactRouterDOM",
  "react/jsx-runtime": "ReactJSXRuntime",
};

export default defineConfig(({ command }) => ({
  build: {
    emptyOutDir: false, // the icons live there too
    lib: { entry: "src/main.tsx", fileName: () => "main.js", formats: ["umd"], name: "AirflowPlugin" },
    outDir: "../plugins/order_cancellation/api/static",
    rolldownOptions: { external: Object.keys(globals), output: { exports: "default", globals } },
    target: "es2022",
  },
  // only for the bundle: React's test build refuses to be called production
  define: command === "build" ? { "process.env.NODE_ENV": '"production"' } : {},
  server: { fs: { allow: ["..", "../plugins/order_cancellation/scripts/templates"] } },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    isolate: false, // to load Chakra anew for each file takes as long as its tests; each file clears its document
    setupFiles: "src/testSetup.ts",
    testTimeout: 60_000,
  },
}));
