import { Skeleton, Stack } from "@chakra-ui/react";

/** Grey lines in place of what is being read. */
export const Loading = ({ lines = 5, what = "Loading" }: { lines?: number; what?: string }) => (
  <Stack aria-busy="true" aria-label={what} gap={2} role="status">
    {Array.from({ length: lines }, (_, line) => (
      <Skeleton height="2.25rem" key={line} />
    ))}
  </Stack>
);
