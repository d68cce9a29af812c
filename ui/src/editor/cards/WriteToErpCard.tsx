import { Alert, chakra, Heading, Stack } from "@chakra-ui/react";

import { isObject, valueAt } from "../draft";
import {
  DurationField,
  NumberField,
  PairsField,
  Row,
  SelectField,
  SwitchField,
  TextField,
  Toggle,
} from "../fields";
import { METHODS } from "../labels";
import { useConnections } from "../useConnections";
import { useFlowEditor } from "../useEditor";
import { useSwitch } from "../useSwitch";
import { CARDS } from "../cards";

export const WriteToErpCard = () => {
  const { document } = useFlowEditor();
  const method = valueAt(document, "write_to_erp.method");
  return (
    <Stack gap={4}>
      <LostAnswer />
      <Row>
        <TextField
          help="A path below the connection, or a whole address. {{ request.id }}, {{ attributes['…'] }} and {{ body.… }} are filled in."
          label="Cancellation Request API URL"
          path="write_to_erp.url"
          placeholder="/cancellations"
          required
        />
        <SelectField
          help="GET sends the mapped object as query parameters."
          label="HTTP Method"
          options={METHODS}
          path="write_to_erp.method"
          required
        />
        <CustomResponseSetting />
      </Row>
      <TextField
        help="Where the ERP's address and login stand, in Airflow's Admin → Connections."
        label="ERP connection"
        options={useConnections("erp", "http")}
        path="write_to_erp.connection"
        required
      />
      <PairsField
        add="+ Add header"
        help="Values are templates, as the URL is."
        label="Headers"
        path="write_to_erp.headers"
      />
      <Safety />
      <chakra.details>
        <chakra.summary cursor="pointer" fontSize="sm">
          Pace and limits
        </chakra.summary>
        <Stack gap={3} pt={3}>
          <Row>
            <NumberField
              help="Seconds for sending and answer together."
              label="Time limit"
              path="write_to_erp.timeout"
            />
            <NumberField
              help="Requests in flight at the same time."
              label="Concurrency"
              path="write_to_erp.concurrency"
            />
            <NumberField
              help="Empty: no limit."
              label="Requests per second"
              path="write_to_erp.rate_per_second"
            />
          </Row>
          <SwitchField
            help="A request that has left the status above meanwhile is not sent."
            label="Read the status again just before sending"
            path="write_to_erp.check_status"
          />
          {method === "GET" && (
            <SelectField
              help="What happens to nested values, which query parameters can't hold."
              label="Nested values"
              options={[
                ["refuse", "Refuse them"],
                ["json", "Send them as JSON text"],
              ]}
              path="write_to_erp.nested"
            />
          )}
        </Stack>
      </chakra.details>
    </Stack>
  );
};

/** What happens to a call whose answer gets lost: the question that money hangs on. */
const LostAnswer = () => {
  const lost = useFlowEditor().checked.lost_answer;
  if (lost === null) return null;
  return (
    <Alert.Root aria-live="polite" status={lost.safe ? "success" : "warning"}>
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>If the ERP&apos;s answer gets lost</Alert.Title>
        <Alert.Description>{lost.sentence}</Alert.Description>
      </Alert.Content>
    </Alert.Root>
  );
};

const CustomResponseSetting = () => {
  const card = CARDS.find(({ id }) => id === "custom_response");
  const { on, turn, locked } = useSwitch(card);
  return (
    <Stack gap={1}>
      <chakra.span fontSize="sm" fontWeight="medium">
        Custom Response Setting
      </chakra.span>
      <Toggle checked={on} disabled={locked} label={on ? "True" : "False"} onChange={turn} />
      <chakra.span color="fg.muted" fontSize="xs">
        True: a script judges the ERP&apos;s answers. False: 2xx is a yes.
      </chakra.span>
    </Stack>
  );
};

const Safety = () => {
  const { document, locked, set } = useFlowEditor();
  const looksUp = isObject(valueAt(document, "write_to_erp.look_up"));
  return (
    <Stack gap={3}>
      <Heading as="h3" size="sm">
        What protects from sending twice
      </Heading>
      <TextField
        help="Only if the ERP books a key once, however often it comes. A header that it ignores protects nothing."
        label="Idempotency header"
        path="write_to_erp.idempotency_header"
        placeholder="Idempotency-Key"
      />
      <Toggle
        checked={looksUp}
        disabled={locked !== null}
        label="The ERP can be asked whether it has booked a request"
        onChange={(on) => {
          set(
            "write_to_erp.look_up",
            on ? { url: "/cancellations/{{ request.id }}", found: "$.found" } : undefined,
          );
        }}
      />
      {looksUp && (
        <Row>
          <TextField
            help="A GET; 404 means not booked."
            label="Look-up URL"
            path="write_to_erp.look_up.url"
            required
          />
          <TextField
            help="A JSONPath that is true in the answer when it is booked."
            label="Found"
            path="write_to_erp.look_up.found"
            required
          />
          <DurationField
            help="“Not found” is believed only this long after sending: 10s, 5m."
            label="Believed after"
            path="write_to_erp.look_up.after"
          />
        </Row>
      )}
      <SwitchField
        help="A written acceptance: requests in doubt are sent again, and may be booked twice."
        label="Duplicates are accepted"
        path="write_to_erp.duplicates_accepted"
      />
    </Stack>
  );
};
