import { Stack } from "@chakra-ui/react";

import { DurationField, ListField, NumberField, Row, SwitchField, TextField } from "../fields";

/** How often and how long the flow tries. */
export const DeliveryCard = () => (
  <Stack gap={4}>
    <Row>
      <NumberField
        help="How often a failing request is tried before it waits for a person (parked)."
        label="Attempts at most"
        path="delivery.max_attempts"
      />
      <DurationField
        help="Before the second attempt; it doubles each time."
        label="Pause between attempts"
        path="delivery.retry_pause"
      />
      <DurationField
        help="How long “not yet” is believed before a request is parked."
        label="Postponed at most"
        path="delivery.max_age"
      />
    </Row>
    <Row>
      <NumberField
        help="How often Airflow repeats a failed step within a run."
        label="Repeats of a step"
        path="delivery.task_retries"
      />
      <DurationField
        help="Airflow's pause before it does."
        label="Pause before a repeat"
        path="delivery.task_retry_delay"
      />
      <NumberField
        help="Over how many batches the requests of a run are spread."
        label="Parallel batches"
        path="delivery.parallel_batches"
      />
    </Row>
    <Row>
      <DurationField
        help="How long a worker that went silent keeps its requests."
        label="Lease"
        path="delivery.lease"
      />
      <NumberField
        help="Days for which what was sent and answered is kept, encrypted."
        label="Payloads are kept"
        path="delivery.keep_payloads_days"
      />
    </Row>
  </Stack>
);

export const AboutCard = () => (
  <Stack gap={4}>
    <TextField help="What the flow is called on the pages." label="Title" path="title" />
    <TextField help="What it is for; Markdown." label="Description" lines={4} path="description" />
    <Row>
      <TextField help="Who answers for the flow." label="Owner" path="owner" />
      <ListField help="With commas between." label="Tags" path="tags" placeholder="sap, refunds" />
    </Row>
    <SwitchField
      byDefault
      help="Off: the DAG stays, without schedule and tagged disabled; nothing is deleted."
      label="Enabled"
      path="enabled"
    />
  </Stack>
);
