import { Alert, Button } from "@chakra-ui/react";
import { Component, type ReactNode } from "react";

/** Keeps a failure of ours from taking Airflow's page with it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <Alert.Root m={4} status="error" width="auto">
        <Alert.Indicator />
        <Alert.Content>
          <Alert.Title>This page has failed: {error.message}</Alert.Title>
          <Alert.Description>What was saved is safe. Loading it again usually helps.</Alert.Description>
        </Alert.Content>
        <Button
          onClick={() => {
            this.setState({ error: null });
          }}
          size="sm"
          variant="outline"
        >
          Load again
        </Button>
      </Alert.Root>
    );
  }
}
