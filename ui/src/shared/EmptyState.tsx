import { EmptyState as Chakra, VStack } from "@chakra-ui/react";
import type { ReactNode } from "react";

/** Nothing to show, and what to do about it. */
export const EmptyState = ({ title, children }: { title: string; children?: ReactNode }) => (
  <Chakra.Root size="sm">
    <Chakra.Content>
      <VStack textAlign="center">
        <Chakra.Title>{title}</Chakra.Title>
        <Chakra.Description>{children}</Chakra.Description>
      </VStack>
    </Chakra.Content>
  </Chakra.Root>
);
