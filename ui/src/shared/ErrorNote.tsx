import { Alert, Button } from "@chakra-ui/react";

import { messageOf } from "../api";

/** What could not be read, why, and a way to try again. */
export const ErrorNote = ({ title, error, retry }: { title: string; error: unknown; retry?: () => void }) => (
  <Alert.Root alignItems="center" status="error">
    <Alert.Indicator />
    <Alert.Content>
      <Alert.Title>{title}</Alert.Title>
      <Alert.Description>{messageOf(error)}</Alert.Description>
    </Alert.Content>
    {retry !== undefined && (
      <Button onClick={retry} size="sm" variant="outline">
        Try again
      </Button>
    )}
  </Alert.Root>
);
