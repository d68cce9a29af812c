import { Alert, chakra, Code, Stack } from "@chakra-ui/react";
import type { ReactNode } from "react";

import { NumberField, Row, SelectField, SwitchField, TextField } from "../fields";
import { TestPanel } from "../trial/TestPanel";
import type { TestedStep } from "../trial/inputs";
import { FileEditor } from "./FileEditor";

interface CardProps {
  onChain: () => void;
}

/** What a script may do; out of the way until it is wanted. */
const Limits = ({ step, children }: { step: TestedStep; children?: ReactNode }) => (
  <chakra.details>
    <chakra.summary cursor="pointer" fontSize="sm">
      Limits of the script
    </chakra.summary>
    <Stack gap={3} pt={3}>
      <Row>
        <TextField help="Its name in the flow's folder." label="File" path={`${step}.file`} required />
        <NumberField
          help="Seconds for one request, 300 at most."
          label="Time limit"
          path={`${step}.timeout`}
        />
        <SelectField
          help="One process for many requests, or a fresh one for each (ten times slower)."
          label="Isolation"
          options={[
            ["shared", "shared"],
            ["per_request", "per request"],
          ]}
          path={`${step}.isolation`}
        />
      </Row>
      <SwitchField
        help="Without it the script reaches nothing. With it, it can send the request's data anywhere."
        label="May use the network"
        path={`${step}.network`}
      />
      {children}
    </Stack>
  </chakra.details>
);

export const ScriptCard = ({ onChain }: CardProps) => (
  <Stack gap={4}>
    <FileEditor label="Script" language="python" step="script" />
    <Limits step="script" />
    <TestPanel
      hint="The input is one cancellation request, an object and no list."
      onChain={onChain}
      step="script"
    />
  </Stack>
);

export const MappingCard = ({ onChain }: CardProps) => (
  <Stack gap={4}>
    <FileEditor label="Mapping" language="mapping" step="mapping" />
    <chakra.details>
      <chakra.summary cursor="pointer" fontSize="sm">
        Settings of the mapping
      </chakra.summary>
      <Stack gap={3} pt={3}>
        <TextField help="Its name in the flow's folder." label="File" path="mapping.file" required />
        <SwitchField
          byDefault
          help="Unknown keys and operations in the chain are errors. Without it they are ignored, as the original does."
          label="Strict"
          path="mapping.strict"
        />
      </Stack>
    </chakra.details>
    <TestPanel hint="The result is the body of the ERP request." onChain={onChain} step="mapping" />
  </Stack>
);

export const CustomResponseCard = ({ onChain }: CardProps) => (
  <Stack gap={4}>
    <Relations />
    <FileEditor label="Custom Response Script" language="python" step="custom_response" />
    <Limits step="custom_response">
      <SwitchField
        help="Also asked when there was no answer, a 5xx or a redirect; its word then counts as the owner's decision."
        label="Decides lost answers too"
        path="custom_response.decides_unknown"
      />
    </Limits>
    <TestPanel
      hint={
        <>
          The input is <Code>{'{"request_data": …, "response_data": …}'}</Code>
        </>
      }
      onChain={onChain}
      step="custom_response"
    />
  </Stack>
);

const Relations = () => (
  <Alert.Root size="sm" status="info" variant="surface">
    <Alert.Indicator />
    <Alert.Description>
      The script sets the attribute <Code>relation</Code>: <Code>continue</Code> the ERP took it ·{" "}
      <Code>failure</Code> it refused · <Code>do_nothing</Code> again at the next run · <Code>auth_fail</Code>{" "}
      new token, one repeat.
    </Alert.Description>
  </Alert.Root>
);

export const PostScriptCard = ({ onChain }: CardProps) => (
  <Stack gap={4}>
    <FileEditor label="Post Script" language="python" step="post_script" />
    <Limits step="post_script" />
    <TestPanel
      hint="Runs after Omnitron was told, for what the ERP took. Its output is not used."
      onChain={onChain}
      step="post_script"
    />
  </Stack>
);
