/** Cases about certificate policies (RFC 5280 6.1.3 (d) to (f), 6.1.5 (g)). */

import { ia5String, oid, sequence } from '../../../src/ground/der/write.ts'
import { oids } from '../../../src/ground/x509/names.ts'
import { extensions as ext, extension } from '../forge.ts'
import { type Case, ca, keys, leaf, root } from '../scene.ts'

const one = '1.2.3.1'
const two = '1.2.3.2'
const any = oids.anyPolicy

interface Shape {
  root?: readonly Buffer[]
  ica?: readonly Buffer[]
  leaf?: readonly Buffer[]
}

function chain(shape: Shape): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const top = ca('Root', keys.root, undefined, { extra: shape.root ?? [] })
  const below = ca('Issuing', keys.ica, top, { extra: shape.ica ?? [] })
  return { target: leaf(keys.leaf, below, { extra: shape.leaf ?? [] }), trust: [top.der], untrusted: [below.der] }
}

/** root → ica → the same CA with a new key → leaf. */
function renewed(icaExtra: Buffer[], renewedPolicies: string[], leafPolicies: string[]) {
  const below = ca('Issuing', keys.ica, root, { extra: icaExtra })
  const again = ca('Issuing', keys.sub, below, { extra: [ext.policies(...renewedPolicies)] })
  const target = leaf(keys.leaf, again, { extra: [ext.policies(...leafPolicies)] })
  return { target, trust: [root.der], untrusted: [below.der, again.der] }
}

/** root → ica → sub → leaf; the CA between has the first policy, or as the leaf nothing. */
function longer(icaExtra: Buffer[], leafExtra: Buffer[]): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const below = ca('Issuing', keys.ica, root, { extra: icaExtra })
  const low = ca('Low', keys.sub, below, { extra: leafExtra.length > 0 ? [ext.policies(one)] : [] })
  return { target: leaf(keys.leaf, low, { extra: leafExtra }), trust: [root.der], untrusted: [below.der, low.der] }
}

const qualified = (qualifier: string) =>
  extension(
    oids.certificatePolicies,
    true,
    sequence(sequence(oid(one), sequence(sequence(oid(qualifier), ia5String('https://example.org'))))),
  )

const fails = ['POLICY_NOT_ACCEPTED'] as const

export const policyCases: Case[] = [
  { says: 'no policies, and none asked for', expect: 'valid', ...chain({}) },
  { says: 'no policies, and one asked for', expect: fails, ...chain({}), policies: [one] },
  {
    says: 'the policy throughout',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one)], leaf: [ext.policies(one)] }),
    policies: [one],
  },
  {
    says: 'one of two accepted policies',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one)], leaf: [ext.policies(one)] }),
    policies: [two, one],
  },
  {
    says: 'another policy throughout',
    expect: fails,
    ...chain({ ica: [ext.policies(two)], leaf: [ext.policies(two)] }),
    policies: [one],
  },
  { says: 'the policy in the leaf only', expect: fails, ...chain({ leaf: [ext.policies(one)] }), policies: [one] },
  {
    says: 'the policy in the issuing CA only',
    expect: fails,
    ...chain({ ica: [ext.policies(one)] }),
    policies: [one],
  },
  {
    says: 'another policy in the leaf',
    expect: fails,
    ...chain({ ica: [ext.policies(one)], leaf: [ext.policies(two)] }),
    policies: [one, two],
  },
  {
    says: 'different policies, and none asked for',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one)], leaf: [ext.policies(two)] }),
  },
  {
    says: 'several policies that meet',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one, two)], leaf: [ext.policies(two, '1.2.3.9')] }),
    policies: [two],
  },
  {
    says: 'several policies that meet elsewhere',
    expect: fails,
    ...chain({ ica: [ext.policies(one, two)], leaf: [ext.policies(two)] }),
    policies: [one],
  },
  {
    says: 'anyPolicy in the issuing CA',
    expect: 'valid',
    ...chain({ ica: [ext.policies(any)], leaf: [ext.policies(one)] }),
    policies: [one],
  },
  {
    says: 'anyPolicy in the leaf',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one)], leaf: [ext.policies(any)] }),
    policies: [one],
  },
  {
    says: 'anyPolicy in both',
    expect: 'valid',
    ...chain({ ica: [ext.policies(any)], leaf: [ext.policies(any)] }),
    policies: [one],
  },
  {
    says: 'anyPolicy in the leaf under another policy',
    expect: fails,
    ...chain({ ica: [ext.policies(two)], leaf: [ext.policies(any)] }),
    policies: [one],
  },
  {
    says: 'anyPolicy as what is asked for',
    expect: 'valid',
    ...chain({ ica: [ext.policies(two)], leaf: [ext.policies(two)] }),
    policies: [any],
  },
  { says: 'anyPolicy as what is asked for, and no policies', expect: fails, ...chain({}), policies: [any] },
  {
    says: 'an empty set of accepted policies',
    expect: fails,
    ...chain({ ica: [ext.policies(any)], leaf: [ext.policies(any)] }),
    policies: [],
    notForOpenssl: true,
  },

  {
    says: 'inhibitAnyPolicy 0 above a leaf with anyPolicy',
    expect: fails,
    ...chain({ ica: [ext.policies(one), ext.inhibitAny(0)], leaf: [ext.policies(any)] }),
    policies: [one],
  },
  {
    says: 'inhibitAnyPolicy 0 above a leaf with the policy',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one), ext.inhibitAny(0)], leaf: [ext.policies(one)] }),
    policies: [one],
  },
  {
    says: 'inhibitAnyPolicy 1 above a leaf with anyPolicy',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one), ext.inhibitAny(1)], leaf: [ext.policies(any)] }),
    policies: [one],
  },
  {
    says: 'inhibitAnyPolicy 0 in the anchor',
    expect: fails,
    ...chain({ root: [ext.inhibitAny(0)], ica: [ext.policies(any)], leaf: [ext.policies(one)] }),
    policies: [one],
  },
  {
    says: 'inhibitAnyPolicy 0 above a self-issued CA with anyPolicy',
    expect: 'valid',
    ...renewed([ext.policies(one), ext.inhibitAny(0)], [any], [one]),
    policies: [one],
  },
  {
    says: 'inhibitAnyPolicy that is not critical',
    expect: ['EXTENSION_CRITICALITY'],
    ...chain({ ica: [ext.inhibitAny(0, false)] }),
  },

  {
    says: 'an issuing CA that requires a policy, and none in the leaf',
    expect: fails,
    ...chain({ ica: [ext.policies(one), ext.policyConstraints(0)] }),
  },
  {
    says: 'an issuing CA that requires a policy, and the same in the leaf',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one), ext.policyConstraints(0)], leaf: [ext.policies(one)] }),
  },
  {
    says: 'an issuing CA that requires a policy, and another in the leaf',
    expect: fails,
    ...chain({ ica: [ext.policies(one), ext.policyConstraints(0)], leaf: [ext.policies(two)] }),
  },
  {
    says: 'an issuing CA that requires a policy one further on',
    expect: fails,
    ...chain({ ica: [ext.policies(one), ext.policyConstraints(1)] }),
  },
  {
    says: 'an issuing CA that requires a policy two further on',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one), ext.policyConstraints(2)] }),
  },
  {
    says: 'an issuing CA that requires a policy two further on, with a CA between',
    expect: fails,
    ...longer([ext.policies(one), ext.policyConstraints(2)], []),
  },
  {
    says: 'an issuing CA that requires a policy three further on, with a CA between',
    expect: 'valid',
    ...longer([ext.policies(one), ext.policyConstraints(3)], []),
  },
  {
    says: 'inhibitAnyPolicy 1 with a CA between',
    expect: fails,
    ...longer([ext.policies(one), ext.inhibitAny(1)], [ext.policies(any)]),
    policies: [one],
  },
  {
    says: 'inhibitAnyPolicy 2 with a CA between',
    expect: 'valid',
    ...longer([ext.policies(one), ext.inhibitAny(2)], [ext.policies(any)]),
    policies: [one],
  },
  {
    says: 'inhibitAnyPolicy 1 with a self-issued CA between, which does not count',
    expect: 'valid',
    ...renewed([ext.policies(one), ext.inhibitAny(1)], [one], [any]),
    policies: [one],
  },
  {
    says: 'a policy required two further on with a self-issued CA between, which does not count',
    expect: 'valid',
    ...renewed([ext.policies(one), ext.policyConstraints(2)], [two], [two]),
  },
  { says: 'a leaf that requires a policy itself', expect: fails, ...chain({ leaf: [ext.policyConstraints(0)] }) },
  { says: 'an anchor that requires a policy', expect: fails, ...chain({ root: [ext.policyConstraints(0)] }) },
  {
    says: 'policyConstraints that is not critical',
    expect: ['EXTENSION_CRITICALITY'],
    ...chain({ ica: [ext.policyConstraints(3, false)] }),
  },
  {
    says: 'an empty policyConstraints',
    expect: ['EXTENSION_MALFORMED'],
    ...chain({ ica: [extension(oids.policyConstraints, true, sequence())] }),
  },

  {
    says: 'the policy in an anchor for another',
    expect: fails,
    ...chain({ root: [ext.policies(two)], ica: [ext.policies(one)], leaf: [ext.policies(one)] }),
    policies: [one],
  },
  {
    says: 'the policy in an anchor for the same',
    expect: 'valid',
    ...chain({ root: [ext.policies(one)], ica: [ext.policies(one)], leaf: [ext.policies(one)] }),
    policies: [one],
  },
  {
    says: 'a root as the target, without the policy',
    expect: fails,
    target: root.der,
    trust: [root.der],
    policies: [one],
  },
  {
    says: 'a policy qualified by a practice statement',
    expect: 'valid',
    ...chain({ ica: [ext.policies(one)], leaf: [qualified('1.3.6.1.5.5.7.2.1')] }),
    policies: [one],
  },
  {
    says: 'a policy qualified by something unknown',
    expect: ['EXTENSION_MALFORMED', 'POLICY_NOT_ACCEPTED'],
    ...chain({ ica: [ext.policies(one)], leaf: [qualified('1.3.6.1.5.5.7.2.9')] }),
    policies: [one],
  },
  {
    says: 'a policy that stands there twice',
    expect: ['EXTENSION_MALFORMED'],
    ...chain({ leaf: [ext.policies(one, one)] }),
  },
]
