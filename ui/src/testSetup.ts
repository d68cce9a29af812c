import { configure } from "@testing-library/react";

// a busy machine makes nothing wrong: what comes late still counts
configure({ asyncUtilTimeout: 20_000 });
