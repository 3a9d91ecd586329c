/** Who plays at the perimeter: an API for account data, two partners with certificates of the registry, and a stranger. */

export const AUTHORITY = { name: 'Example Banking' } as const;

/** Of the registry: the root is used a few times in its life, the issuing one each day. */
export const ROOT_CA = 'Example Root CA';
export const ISSUING_CA = 'Example Issuing CA';

/** What an application needs to be let in to the API. */
export const ROLE = {
  domain: 'Open Banking',
  name: 'AISP',
  description: 'Account Information Service Provider',
  scopes: ['accounts'],
  entityType: 'oauth_client',
} as const;

export const API = { family: 'accounts', version: '1.0.0', path: '/accounts', scope: 'accounts' } as const;

export const SERVER = {
  role: 'Authorization server',
  folder: 'authorization-server',
  entityType: 'oauth_authorization_server',
  legalName: 'Example Bank plc',
  contact: 'it@bank.example',
} as const;

export interface Part {
  role: string;
  folder: string;
  entityType: 'oauth_client';
  legalName: string;
  contact: string;
}

export const PARTNER: Part = {
  role: 'Budget app',
  folder: 'budget-app',
  entityType: 'oauth_client',
  legalName: 'Example Budget Ltd',
  contact: 'it@budget.example',
};

export const OTHER_PARTNER: Part = {
  role: 'Savings app',
  folder: 'savings-app',
  entityType: 'oauth_client',
  legalName: 'Example Savings Ltd',
  contact: 'it@savings.example',
};

/** Has a certificate of another certification authority: nobody enrolled it, so there is none of the registry. */
export const STRANGER = 'Unheard-of Ltd';
