import { describe, expect, it } from 'vitest';
import {
  citedIds,
  citedRows,
  mentionedIds,
  readCitations,
  readRequirements,
  readSpec,
} from './support/requirements.ts';

/** Requirements up to this issue of the project must be met; those of later ones may be. */
const LANDED_ISSUE = 4;

const requirements = readRequirements();
const citations = readCitations();
const known = new Set(requirements.map((requirement) => requirement.id));

describe('the requirements of the standard', () => {
  it('are each cited by the title of a test, or explained in SPEC.md', () => {
    const explained = new Set(mentionedIds(readSpec()));
    const landed = requirements.filter(({ level, issue }) => level === 'MUST' && issue > 0 && issue <= LANDED_ISSUE);
    const unanswered = landed.filter(({ id }) => !citations.has(id) && !explained.has(id));
    expect(landed.length).toBeGreaterThan(100);
    expect(unanswered.map(({ id, gist }) => `${id} ${gist}`)).toEqual([]);
  });

  it('are the only ones that test titles cite', () => {
    const unknown = [...citations].filter(([id]) => !known.has(id));
    expect(unknown.map(([id, files]) => `${id} in ${files.join(', ')}`)).toEqual([]);
  });

  it('are the only ones that SPEC.md mentions', () => {
    const unknown = mentionedIds(readSpec()).filter((id) => /^(?:OIDFED|ACME)-/.test(id) && !known.has(id));
    expect(unknown).toEqual([]);
  });

  it('of the companion drafts that are served stand in SPEC.md, and are cited by a test', () => {
    const stated = new Set(mentionedIds(readSpec()));
    const served = requirements.filter(({ id }) => /^(?:EXTLIST|EVENTS|COLLECTION)-/.test(id));
    expect(served.length).toBeGreaterThan(25);
    expect(served.filter(({ id }) => !stated.has(id) || !citations.has(id)).map(({ id }) => id)).toEqual([]);
  });

  it('have an id of their own each', () => {
    expect(known.size).toBe(requirements.length);
    expect(requirements.filter(({ id }) => mentionedIds(id)[0] !== id)).toEqual([]);
  });
});

describe('a row of the directory of what is built', () => {
  const rows = readCitations(citedRows);

  it.each(['F20', 'F22', 'F23', 'F24', 'F25', 'F29', 'F30'])('has a test that is named after it: %s', (row) => {
    expect(rows.get(row) ?? []).not.toEqual([]);
  });
});

describe('the search for citations', () => {
  it('finds ids at the start of titles, one or several, in any quotes', () => {
    expect(citedIds(`it('[OIDFED-3.2-1] refuses', f); it("[ACME-4] [OIDFED-1.2-3] x", f);`)).toEqual([
      'OIDFED-3.2-1',
      'ACME-4',
      'OIDFED-1.2-3',
    ]);
    expect(citedIds('it.each([[1]])(\n  `[OIDFED-3-1] %d`, f)')).toEqual(['OIDFED-3-1']);
  });

  it('finds rows of the directory at the start of titles, beside ids, which are found all the same', () => {
    const source = `describe('[F20] [OIDFED-3-1] a', f); it("[ACME-4] [F30] b", f); it('c [F22]', f)`;
    expect(citedRows(source)).toEqual(['F20', 'F30']);
    expect(citedIds(source)).toEqual(['OIDFED-3-1', 'ACME-4']);
    expect(citedRows(`// it('[F20] x')\nit.skip('[F22] x'); const a = list[F23]`)).toEqual([]);
  });

  it('finds ids in a table of cases, where the title takes them from there', () => {
    const cases = `[['OIDFED-3-1', 1], ["ACME-4", 2], ['see OIDFED-3-2', 3]]`;
    expect(citedIds(`it.each(${cases})('[%s] accepts %d', f)`)).toEqual(['OIDFED-3-1', 'ACME-4']);
    expect(citedIds(`it.each(${cases})('[$id] accepts', f)`)).toEqual(['OIDFED-3-1', 'ACME-4']);
    expect(citedIds(`it.each(${cases})('accepts %s', f)`)).toEqual([]);
  });

  it('does not take comments, skipped tests or other brackets for citations', () => {
    expect(citedIds(`// it('[OIDFED-3.2-1] x')\n/** '[OIDFED-3.2-2]' */\n * '[OIDFED-3.2-3]'`)).toEqual([]);
    expect(citedIds(`it.skip('[OIDFED-3.2-1] x'); it.todo('[OIDFED-3.2-2] x')`)).toEqual([]);
    expect(citedIds(`it('refuses [OIDFED-3.2-1]'); const a = list[OIDFED - 3]; /[A-Z0-9]/.test('[a-1]')`)).toEqual([]);
  });

  it('finds ids anywhere in prose, whole ones only', () => {
    expect(mentionedIds('| OIDFED-3.2-1 | see ACME-4, (OIDFED-10.1-12). |')).toEqual([
      'OIDFED-3.2-1',
      'ACME-4',
      'OIDFED-10.1-12',
    ]);
    expect(mentionedIds('xACME-4 OIDFED-3.2')).toEqual([]);
  });
});
