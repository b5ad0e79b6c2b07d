import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { Problem } from '../../common/errors/index.js';

/** What a browser's `PublicKeyCredential.toJSON()` gives; further members are not looked at. */
export type CredentialJson = Readonly<Record<string, unknown>>;

/** The bytes that a credential's id may have (WebAuthn), in base64url. */
const MAX_ID_LENGTH = 1364;
const MAX_PART_LENGTH = 16_384;
const BASE64URL = /^[\w-]+$/;
const TRANSPORT = /^[a-z][a-z-]{0,19}$/;
const MAX_TRANSPORTS = 8;

/** What a page says about what it asked the authenticator for, as the browser has written it. */
export interface ClientData {
  readonly challenge: string;
  readonly origin: string;
}

/** @throws Problem `invalid-request` where it is not in the form of an assertion */
export function readAssertion(json: CredentialJson): AuthenticationResponseJSON {
  const id = readId(json);
  const response = readResponse(json);
  const userHandle = response['userHandle'];
  return {
    id,
    rawId: id,
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      clientDataJSON: readPart(response, 'clientDataJSON'),
      authenticatorData: readPart(response, 'authenticatorData'),
      signature: readPart(response, 'signature'),
      ...(userHandle === undefined || userHandle === null || userHandle === ''
        ? {}
        : { userHandle: readPart(response, 'userHandle') }),
    },
  };
}

/** @throws Problem `invalid-request` where it is not in the form of a new credential */
export function readRegistration(json: CredentialJson): RegistrationResponseJSON {
  const id = readId(json);
  const response = readResponse(json);
  return {
    id,
    rawId: id,
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      clientDataJSON: readPart(response, 'clientDataJSON'),
      attestationObject: readPart(response, 'attestationObject'),
      transports: readTransports(response['transports']),
    },
  };
}

/** Null where it is none; what it says is verified later. */
export function readClientData(base64url: string): ClientData | null {
  try {
    const data: unknown = JSON.parse(Buffer.from(base64url, 'base64url').toString());
    if (typeof data !== 'object' || data === null) return null;
    const { challenge, origin } = data as Partial<Record<keyof ClientData, unknown>>;
    return typeof challenge === 'string' && typeof origin === 'string' ? { challenge, origin } : null;
  } catch {
    return null;
  }
}

function readId(json: CredentialJson): string {
  if (json['type'] !== 'public-key') throw malformed('/type', 'must be "public-key"');
  const { id, rawId } = json;
  if (typeof id !== 'string' || id.length > MAX_ID_LENGTH || !BASE64URL.test(id))
    throw malformed('/id', 'must be base64url');
  if (rawId !== undefined && rawId !== id) throw malformed('/rawId', 'must be the same as id');
  return id;
}

function readResponse(json: CredentialJson): CredentialJson {
  const { response } = json;
  if (typeof response !== 'object' || response === null || Array.isArray(response))
    throw malformed('/response', 'must be an object');
  return response as CredentialJson;
}

function readPart(response: CredentialJson, name: string): string {
  const part = response[name];
  if (typeof part !== 'string' || part.length > MAX_PART_LENGTH || !BASE64URL.test(part))
    throw malformed(`/response/${name}`, 'must be base64url');
  return part;
}

/** Only a hint for browsers: what is strange is left out. */
const readTransports = (value: unknown): string[] =>
  Array.isArray(value)
    ? value
        .filter((item): item is string => typeof item === 'string' && TRANSPORT.test(item))
        .slice(0, MAX_TRANSPORTS)
    : [];

const malformed = (place: string, message: string): Problem =>
  new Problem('invalid-request', {
    detail: `credential${place} ${message}`,
    errors: [{ pointer: `/credential${place}`, code: 'invalid', message }],
  });
