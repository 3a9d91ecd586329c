import {
  ANY_POLICY,
  authorityKeyId,
  below,
  CA,
  CHAIN,
  CLIENT_AUTH,
  chain,
  generalName,
  inhibitAnyPolicy,
  judgeBeside,
  leafOf,
  leafWith,
  type PathCase,
  type PathRow,
  policies,
  policyConstraints,
  policyMappings,
  ROOT,
  root,
  SERVER_AUTH,
  subjectKeyId,
} from '../../support/certificate-paths.ts';
import {
  DIGITAL_SIGNATURE,
  der,
  extendedKeyUsage,
  KEY_ENCIPHERMENT,
  keyUsage,
  sequence,
  type TestExtension,
} from '../../support/certificates.ts';

const [GOLD, SILVER, BRONZE] = ['1.2.3.1', '1.2.3.2', '1.2.3.3'] as const;
const policyChain = (
  authority: Parameters<typeof below>[1],
  leaf: Parameters<typeof leafWith>[1][],
  demand: PathCase['policies'] = { requirePolicies: true },
): PathCase => {
  const made = below(ROOT, authority);
  return { ...chain(made, leafWith(made, ...leaf)), policies: demand };
};

const purposes = (...types: string[]) => ({ extensions: [DIGITAL_SIGNATURE, extendedKeyUsage(...types)] });
const PURPOSES: PathRow[] = [
  [
    'serverAuth where clientAuth is wanted',
    { leaf: leafOf(CA, purposes(SERVER_AUTH)), ...CHAIN },
    'usage_unsuitable leaf',
  ],
  ['serverAuth', { leaf: leafOf(CA, purposes(SERVER_AUTH)), ...CHAIN, purpose: 'serverAuth' }, 'valid'],
  ['whatever, to sign', { leaf: leafOf(CA, purposes(SERVER_AUTH)), ...CHAIN, purpose: 'signing' }, 'valid'],
  [
    'an authority, to sign',
    { leaf: below(ROOT).der, anchors: [ROOT.der], purpose: 'signing' },
    'usage_unsuitable leaf',
    'openssl has no such purpose',
  ],
  [
    'only to encrypt, to sign',
    { leaf: leafOf(CA, { extensions: [KEY_ENCIPHERMENT] }), ...CHAIN, purpose: 'signing' },
    'usage_unsuitable leaf',
    'openssl has no such purpose',
  ],
  ['both', { leaf: leafOf(CA, purposes(SERVER_AUTH, CLIENT_AUTH)), ...CHAIN }, 'valid'],
  ['no extended key usage', { leaf: leafOf(CA, { extensions: [DIGITAL_SIGNATURE] }), ...CHAIN }, 'valid'],
  [
    'anyExtendedKeyUsage',
    { leaf: leafOf(CA, purposes('2.5.29.37.0')), ...CHAIN },
    'valid',
    'openssl wants the purpose itself; the RFC leaves it open',
  ],
  [
    'an authority for servers alone',
    chain(below(ROOT, { extensions: [extendedKeyUsage(SERVER_AUTH)] })),
    'usage_unsuitable intermediates[0]',
  ],
  [
    'an authority for servers alone, any purpose',
    { ...chain(below(ROOT, { extensions: [extendedKeyUsage(SERVER_AUTH)] })), purpose: null },
    'valid',
  ],
  ['an authority for clients', chain(below(ROOT, { extensions: [extendedKeyUsage(CLIENT_AUTH)] })), 'valid'],
  ['an anchor for mail alone', mailRoot(), 'usage_unsuitable anchors[0]'],
  [
    'a key for encryption where one that signs is wanted',
    { leaf: leafOf(CA, { extensions: [KEY_ENCIPHERMENT] }), ...CHAIN },
    'usage_unsuitable leaf',
  ],
  [
    'a key for encryption at a server',
    { leaf: leafOf(CA, { extensions: [KEY_ENCIPHERMENT] }), ...CHAIN, purpose: 'serverAuth' },
    'valid',
  ],
  [
    'a key for agreement at a client',
    { leaf: leafOf(CA, { extensions: [keyUsage(0x08, 3)] }), ...CHAIN },
    'usage_unsuitable leaf',
    'openssl still takes fixed Diffie-Hellman',
  ],
  ['an authority as client', { leaf: CA.der, anchors: [ROOT.der] }, 'usage_unsuitable leaf'],
  ['mail', { leaf: leafOf(CA, purposes('1.3.6.1.5.5.7.3.4')), ...CHAIN, purpose: 'emailProtection' }, 'valid'],
];

function mailRoot(): PathCase {
  const mail = root({ extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.4')] });
  return { leaf: leafOf(mail), anchors: [mail.der] };
}

function strangeRoot(): PathCase {
  const strange = root({ extensions: [{ type: '1.2.3.4', critical: true, value: der(0x05) }] });
  return { leaf: leafOf(strange), anchors: [strange.der] };
}

const EXTENSIONS: PathRow[] = [
  ['an unknown extension', { leaf: leafWith(CA, { type: '1.2.3.4', value: der(0x05) }), ...CHAIN }, 'valid'],
  [
    'an unknown critical extension',
    { leaf: leafWith(CA, { type: '1.2.3.4', critical: true, value: der(0x05) }), ...CHAIN },
    'extension_unknown leaf',
  ],
  [
    'an unknown critical extension of an authority',
    chain(below(ROOT, { extensions: [{ type: '1.2.3.4', critical: true, value: der(0x05) }] })),
    'extension_unknown intermediates[0]',
  ],
  ['an unknown critical extension of the anchor', strangeRoot(), 'extension_unknown anchors[0]'],
  [
    'critical distribution points',
    {
      leaf: leafWith(CA, {
        type: '2.5.29.31',
        critical: true,
        value: sequence(sequence(der(0xa0, der(0xa0, generalName.uri('http://a.example/crl'))))),
      }),
      ...CHAIN,
    },
    'extension_unknown leaf',
    'openssl reads them; we do not, and a critical one asks for that',
  ],
  ['an extension twice', { leaf: leafWith(CA, DIGITAL_SIGNATURE), ...CHAIN }, 'extension_invalid leaf'],
  [
    'a key usage for nothing',
    { leaf: leafOf(CA, { extensions: [keyUsage(0x00, 7)] }), ...CHAIN },
    'extension_invalid leaf',
  ],
  [
    'a key usage with bits behind its end',
    { leaf: leafOf(CA, { extensions: [keyUsage(0x81, 7)] }), ...CHAIN },
    'extension_invalid leaf',
    'openssl drops them',
  ],
  [
    'a serial number of 21 bytes',
    { leaf: leafOf(CA, { serial: [1, ...Array<number>(20).fill(7)] }), ...CHAIN },
    'certificate_malformed leaf',
    'openssl takes any',
  ],
  [
    'a serial number of 20 bytes',
    { leaf: leafOf(CA, { serial: [1, ...Array<number>(19).fill(7)] }), ...CHAIN },
    'valid',
  ],
  [
    'a negative serial number',
    { leaf: leafOf(CA, { serial: [0x80, 1] }), ...CHAIN },
    'certificate_malformed leaf',
    'openssl takes any',
  ],
  [
    'the serial number 0',
    { leaf: leafOf(CA, { serial: [0] }), ...CHAIN },
    'certificate_malformed leaf',
    'openssl takes any',
  ],
  [
    'version 1',
    { leaf: leafOf(CA, { version: null, extensions: [] }), ...CHAIN },
    'certificate_malformed leaf',
    'openssl takes version 1 at the end of a path',
  ],
];

function selfIssuedAny(): PathCase {
  const first = below(ROOT, { extensions: [policies(GOLD), inhibitAnyPolicy(0), subjectKeyId(1)] });
  const keyIds = [subjectKeyId(2), authorityKeyId(1)];
  const renewed = below(first, { subject: first.name, extensions: [policies(ANY_POLICY), ...keyIds] });
  const leaf = leafWith(renewed, policies(GOLD), authorityKeyId(2));
  return { leaf, intermediates: [renewed.der, first.der], anchors: [ROOT.der], policies: { requirePolicies: true } };
}

/** An authority below a root that is on the list itself. */
function belowAnchor(ofAnchor: TestExtension[], ofLeaf: TestExtension[], demand: PathCase['policies'] = {}): PathCase {
  const anchor = below(ROOT, { extensions: ofAnchor });
  return { leaf: leafWith(anchor, ...ofLeaf), anchors: [anchor.der], policies: demand };
}

const POLICIES: PathRow[] = [
  ['no policy where none is wanted', { leaf: leafOf(CA), ...CHAIN, policies: {} }, 'valid'],
  [
    'no policy where one is wanted',
    { leaf: leafOf(CA), ...CHAIN, policies: { requirePolicies: true } },
    'policy_missing intermediates[0]',
  ],
  ['the same policy', policyChain({ extensions: [policies(GOLD)] }, [policies(GOLD)]), 'valid'],
  ['another policy', policyChain({ extensions: [policies(GOLD)] }, [policies(SILVER)]), 'policy_missing leaf'],
  ['a policy below anyPolicy', policyChain({ extensions: [policies(ANY_POLICY)] }, [policies(SILVER)]), 'valid'],
  ['anyPolicy below a policy', policyChain({ extensions: [policies(GOLD)] }, [policies(ANY_POLICY)]), 'valid'],
  [
    'an accepted policy',
    policyChain({ extensions: [policies(GOLD, SILVER)] }, [policies(GOLD)], { accepted: [GOLD] }),
    'valid',
  ],
  [
    'a policy that is not accepted',
    policyChain({ extensions: [policies(GOLD, SILVER)] }, [policies(SILVER)], { accepted: [GOLD] }),
    'policy_missing leaf',
  ],
  [
    'a policy that is not accepted, nor wanted',
    policyChain({ extensions: [policies(GOLD, SILVER)] }, [policies(SILVER)], {
      accepted: [GOLD],
      requirePolicies: false,
    }),
    'valid',
  ],
  [
    'anyPolicy inhibited from the start',
    policyChain({ extensions: [policies(ANY_POLICY)] }, [policies(GOLD)], {
      requirePolicies: true,
      inhibitAnyPolicy: true,
    }),
    'policy_missing intermediates[0]',
  ],
  [
    'anyPolicy inhibited by the authority',
    policyChain({ extensions: [policies(GOLD), inhibitAnyPolicy(0)] }, [policies(ANY_POLICY)]),
    'policy_missing leaf',
  ],
  [
    'anyPolicy inhibited further down',
    policyChain({ extensions: [policies(GOLD), inhibitAnyPolicy(1)] }, [policies(ANY_POLICY)]),
    'valid',
  ],
  ['anyPolicy inhibited, in a self-issued authority', selfIssuedAny(), 'valid'],
  [
    'a policy wanted by the authority',
    policyChain({ extensions: [policies(GOLD), policyConstraints({ explicit: 0 })] }, [], {}),
    'policy_missing leaf',
  ],
  [
    'a policy wanted by the authority and there',
    policyChain({ extensions: [policies(GOLD), policyConstraints({ explicit: 0 })] }, [policies(GOLD)], {}),
    'valid',
  ],
  ['a policy wanted by the leaf', policyChain({}, [policyConstraints({ explicit: 0 })], {}), 'policy_missing leaf'],
  [
    'a policy mapped',
    policyChain({ extensions: [policies(GOLD), policyMappings([GOLD, BRONZE])] }, [policies(BRONZE)], {
      accepted: [GOLD],
    }),
    'valid',
  ],
  [
    'a policy mapped away',
    policyChain({ extensions: [policies(GOLD), policyMappings([GOLD, BRONZE])] }, [policies(GOLD)], {
      accepted: [GOLD],
    }),
    'policy_missing leaf',
  ],
  [
    'the name of a policy elsewhere',
    policyChain({ extensions: [policies(GOLD), policyMappings([GOLD, BRONZE])] }, [policies(BRONZE)], {
      accepted: [BRONZE],
    }),
    'policy_missing leaf',
  ],
  [
    'a mapping that is inhibited',
    policyChain({ extensions: [policies(GOLD), policyMappings([GOLD, BRONZE])] }, [policies(BRONZE)], {
      accepted: [GOLD],
      inhibitMapping: true,
    }),
    'policy_missing leaf',
  ],
  [
    'a policy mapped from anyPolicy’s',
    policyChain({ extensions: [policies(ANY_POLICY), policyMappings([GOLD, BRONZE])] }, [policies(BRONZE)], {
      accepted: [GOLD],
    }),
    'valid',
  ],
  [
    'a policy mapped from anyPolicy’s, which is inhibited',
    policyChain({ extensions: [policies(ANY_POLICY), policyMappings([GOLD, BRONZE])] }, [policies(BRONZE)], {
      accepted: [GOLD],
      inhibitAnyPolicy: true,
    }),
    'policy_missing intermediates[0]',
    'openssl takes the mapping as if the policy stood there',
  ],
  [
    'a mapping of anyPolicy',
    policyChain({ extensions: [policies(GOLD), policyMappings([ANY_POLICY, BRONZE])] }, [policies(BRONZE)], {}),
    'policy_invalid intermediates[0]',
  ],
  [
    'a policy wanted by an anchor below a root',
    belowAnchor([policies(GOLD), policyConstraints({ explicit: 0 })], []),
    'policy_missing leaf',
    'openssl does not look at what an anchor says of policies',
  ],
  [
    'the one that it wants',
    belowAnchor([policies(GOLD), policyConstraints({ explicit: 0 })], [policies(GOLD)]),
    'valid',
  ],
  [
    'another one than an anchor below a root has',
    belowAnchor([policies(GOLD)], [policies(SILVER)], { requirePolicies: true }),
    'policy_missing leaf',
    'openssl does not look at what an anchor says of policies',
  ],
  [
    'any one below an anchor that has all',
    belowAnchor([policies(ANY_POLICY)], [policies(SILVER)], { requirePolicies: true, inhibitAnyPolicy: true }),
    'valid',
  ],
  ['a policy twice', { leaf: leafWith(CA, policies(GOLD, GOLD)), ...CHAIN, policies: {} }, 'extension_invalid leaf'],
];

judgeBeside({ purposes: PURPOSES, extensions: EXTENSIONS, policies: POLICIES });
