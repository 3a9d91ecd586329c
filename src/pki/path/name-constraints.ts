/** Whether names of certificates keep to what the authorities above them may issue for. @see RFC 5280 §6.1.3 (b), (c) */
import { COMMON_NAME, EMAIL_ADDRESS } from '../names/attribute-types.ts';
import { attributeTexts } from '../names/distinguished-name.ts';
import { type GeneralName, isDnsName } from '../names/general-name.ts';
import { isExcludedBy, isOfForm, isPermittedBy, type NameConstraints } from './name-subtrees.ts';
import { isSelfIssued, type PathCertificate } from './path-certificate.ts';
import { PathError } from './path-refusal.ts';

/** Of names with subtrees in one search: large ones have some hundreds for each way. */
const MAX_COMPARISONS = 100_000;

/** How many comparisons a search has made, on all of its ways together. */
export interface NameComparisons {
  count: number;
}
const HOST = /^(?=.*\.)(?=.*[a-z])[a-z0-9_.*-]+$/i;

/**
 * Names of self-issued certificates are left out, but for the leaf's.
 * @param path from the anchor down to the leaf
 * @throws PathError name_not_permitted, chain_too_complex
 */
export function requirePermittedNames(path: readonly PathCertificate[], comparisons: NameComparisons): void {
  const above: NameConstraints[] = [];
  for (const [index, certificate] of path.entries()) {
    const isLast = index === path.length - 1;
    if (above.length > 0 && (isLast || !isSelfIssued(certificate))) {
      const names = namesOf(certificate, isLast);
      comparisons.count +=
        above.reduce((sum, { permitted, excluded }) => sum + permitted.length + excluded.length, 0) * names.length;
      if (comparisons.count > MAX_COMPARISONS) {
        throw new PathError('chain_too_complex', certificate.place, 'has too many names for the constraints above it');
      }
      for (const constraints of above) requirePermitted(names, constraints, certificate);
    }
    if (certificate.nameConstraints !== null) above.push(certificate.nameConstraints);
  }
}

function requirePermitted(
  names: readonly GeneralName[],
  constraints: NameConstraints,
  { place }: PathCertificate,
): void {
  for (const name of names) {
    const permitted = constraints.permitted.filter((subtree) => isOfForm(name, subtree));
    const excluded = constraints.excluded.filter((subtree) => isOfForm(name, subtree));
    const isPermitted = permitted.length === 0 || permitted.some((subtree) => isPermittedBy(name, subtree));
    if (isPermitted && !excluded.some((subtree) => isExcludedBy(name, subtree))) continue;
    const message = `has a name (${name.form}) that an authority above it may not issue for; have it issued by another, or without that name`;
    throw new PathError('name_not_permitted', place, message);
  }
}

/** The subject, what it says in older ways, and the alternative names. */
function namesOf({ subject, alternativeNames }: PathCertificate, isLeaf: boolean): GeneralName[] {
  const names = [...alternativeNames];
  if (subject.relativeNames.length > 0) names.push({ form: 'directory', name: subject });
  const addresses = subject.relativeNames.flat().filter(({ type }) => type === EMAIL_ADDRESS);
  // One that is no text is no mailbox: whatever is limited to some, it is not within.
  names.push(...addresses.map(({ text = '' }): GeneralName => ({ form: 'email', text })));
  if (!isLeaf || alternativeNames.some(({ form }) => form === 'dns')) return names;
  const hosts = attributeTexts(subject, COMMON_NAME).filter((text) => HOST.test(text) && isDnsName(text));
  return [...names, ...hosts.map((text): GeneralName => ({ form: 'dns', text }))];
}
