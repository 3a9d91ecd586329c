/** How quickly metadata policies are merged and applied. @see OIDFED §6.1.4 */
import { FederationError } from '../../../src/federation/errors.ts';
import { applyMetadataPolicy } from '../../../src/federation/policy/apply-policy.ts';
import { parseMetadataPolicy } from '../../../src/federation/policy/parse-policy.ts';
import { resolveMetadataPolicy } from '../../../src/federation/policy/resolve-policy.ts';
import type { Figure } from '../figure.ts';
import { onOneCore, throughputOf } from '../rounds.ts';
import { ENTITY_TYPE, type PolicySample, policySamples } from '../samples/policy-samples.ts';

export const policyResolve: Figure = {
  name: 'policy_resolve',
  summary: 'sample vectors parsed, merged and applied a second, refusals included, on one core',
  unit: 'vectors/s',
  target: 50_000,
  better: 'higher',
  async measure(bench) {
    const { origin, samples } = policySamples();
    const measurement = await throughputOf(
      bench,
      onOneCore(() => {
        for (const sample of samples) outcomeOf(sample);
        return samples.length;
      }),
    );
    return { ...measurement, details: { vectors: samples.length, origin } };
  },
};

function outcomeOf({ TA, INT, metadata }: PolicySample): unknown {
  try {
    const resolved = resolveMetadataPolicy([
      { place: 'ES[2]', metadataPolicy: parseMetadataPolicy({ [ENTITY_TYPE]: TA }) },
      { place: 'ES[1]', metadataPolicy: parseMetadataPolicy({ [ENTITY_TYPE]: INT }) },
    ]);
    return applyMetadataPolicy(resolved, { [ENTITY_TYPE]: metadata });
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    return error.reason;
  }
}
