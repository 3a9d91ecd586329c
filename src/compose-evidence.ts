/** The wiring of what is kept of admission: the log of decisions, and which changes enforcement points act on. */
import { randomUUID } from 'node:crypto';
import { Acknowledgements } from './admission/acknowledgements.ts';
import type { AskedAdmission } from './admission/admission.ts';
import { DecisionLog } from './admission/decision-log.ts';
import type { KnownState } from './admission/known-state.ts';
import { SeqStreams } from './http/api/propagation/seq-streams.ts';
import type { Log } from './observability/log.ts';
import { DecisionChain } from './registry/decisions/decision-chain.ts';
import { saveAcknowledgements } from './registry/propagation/save-acknowledgements.ts';
import type { Db } from './storage/connect.ts';

export interface EvidenceParts {
  db: Db;
  log: Log;
  /** What admission knows as of now. */
  state: () => KnownState;
}

/** Disposing of it saves what was noted. */
export interface ComposedEvidence extends AsyncDisposable {
  observe: (asked: AskedAdmission) => void;
  acknowledgements: Acknowledgements;
  streams: SeqStreams;
  /** Saves what was noted so far; to be run again and again. */
  save: () => Promise<void>;
}

export function composeEvidence({ db, log, state }: EvidenceParts): ComposedEvidence {
  const chain = new DecisionChain(db, randomUUID());
  const decisions = new DecisionLog({
    save: (logged) => chain.append(logged),
    onError: log.decisionsUnsaved,
    random: Math.random,
  });
  const acknowledgements = new Acknowledgements({
    save: (read) => saveAcknowledgements(db, read),
    onError: log.acknowledgementsUnsaved,
  });
  const save = async () => {
    await Promise.all([decisions.flush(), acknowledgements.flush()]);
  };
  return {
    observe: (asked) => {
      decisions.note(asked);
      acknowledgements.note(asked.point.id, asked.decision.seq, 'call');
    },
    acknowledgements,
    streams: new SeqStreams({ state }),
    save,
    [Symbol.asyncDispose]: save,
  };
}
