import { Code, Stack, Text } from "@chakra-ui/react";

import { NumberField, Row, SelectField, TextField } from "../fields";
import { CANCEL_TYPES, STATUSES } from "../labels";
import { useConnections } from "../useConnections";
import { useFlowEditor } from "../useEditor";

export const GetDataCard = () => {
  const { checked } = useFlowEditor();
  return (
    <Stack gap={4}>
      <Row>
        <SelectField
          help="Cancellations, refunds, or both."
          label="Cancel Type"
          options={CANCEL_TYPES}
          path="get_data.cancel_type"
          required
        />
        <SelectField
          help="Only requests that have this status in Omnitron are fetched."
          label="Cancellation Request Status"
          options={STATUSES}
          path="get_data.status"
          required
        />
        <NumberField
          help="Empty: the requests of all channels. The id stands in Omnitron, Sales Channels."
          label="Omnitron Channel ID"
          path="get_data.channel_id"
        />
      </Row>
      <Stack gap={1}>
        <Text fontSize="sm" fontWeight="medium">
          Query string that will be sent
        </Text>
        <Code aria-live="polite" px={2} py={1} whiteSpace="pre-wrap" wordBreak="break-all">
          {checked.query ?? "It stands here once the fields above are valid."}
        </Code>
      </Stack>
      <Row>
        <TextField
          help="Where Omnitron's address and login stand, in Airflow's Admin → Connections."
          label="Omnitron connection"
          options={useConnections("omnitron")}
          path="get_data.connection"
          required
        />
        <NumberField
          help="How many requests one page asks for."
          label="Page size"
          path="get_data.page_size"
        />
        <NumberField
          help="The most that one run takes up; the rest waits for the next."
          label="Requests per run"
          path="get_data.max_requests"
        />
      </Row>
    </Stack>
  );
};
