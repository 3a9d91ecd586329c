/** Why a record is in its state: the note, and the code unless that says nothing. */

export function reasonText(record: {
  stateReason: string | null;
  stateReasonCode?: string | null | undefined;
}): string | undefined {
  const { stateReason, stateReasonCode } = record;
  if (stateReason === null) return undefined;
  return stateReasonCode == null || stateReasonCode === 'other' ? stateReason : `${stateReason} (${stateReasonCode})`;
}
