/** The document's words for what travels on the wire. */

export type Option = readonly [value: string, label: string];

export const CANCEL_TYPES: readonly Option[] = [
  ["cancel", "Cancel"],
  ["refund", "Refund"],
  ["all", "All"],
];

export const STATUSES: readonly Option[] = [
  ["open", "Open"],
  ["waiting", "Waiting"],
  ["confirmation_waiting", "Confirmation Waiting"],
  ["confirmed", "Confirmed"],
  ["waiting_approval", "Waiting Approval"],
  ["approved", "Approved"],
  ["rejected", "Rejected"],
  ["waiting_for_payment", "Waiting for Payment"],
  ["manuel_refund_need", "Manuel Refund Need"],
  ["completed", "Completed"],
];

export const METHODS: readonly Option[] = [
  ["POST", "POST"],
  ["GET", "GET"],
  ["PUT", "PUT"],
  ["PATCH", "PATCH"],
];

export const TRUE_FALSE: readonly Option[] = [
  ["true", "True"],
  ["false", "False"],
];
