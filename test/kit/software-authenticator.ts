import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** What a browser would send, as its `toJSON()` writes it. */
export interface CredentialJson {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly clientExtensionResults: object;
  readonly response: Record<string, unknown>;
}

/** What an authenticator or a browser may get wrong, or lie about. */
export interface Faults {
  readonly origin?: string;
  readonly rpId?: string;
  /** Of the client data. */
  readonly type?: string;
  readonly challenge?: string;
  readonly isUserVerified?: boolean;
  readonly isUserPresent?: boolean;
  readonly counter?: number;
  readonly userHandle?: string;
  readonly crossOrigin?: boolean;
  /** Signs with another key than that of the credential. */
  readonly hasForeignKey?: boolean;
}

/** The members of what a server asks for that matter here. */
export interface AskedOptions {
  readonly challenge: string;
  readonly rpId?: string;
  readonly rp?: { readonly id: string };
  readonly user?: { readonly id: string };
}

const ORIGIN = 'http://localhost:8055';
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

/** An authenticator with one passkey (WebAuthn Level 3, ES256), which can be made to misbehave. */
export class SoftwareAuthenticator {
  private readonly id = randomBytes(32);
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private userHandle = '';
  /** Counts up with each signature; set to 0 it stays there, as synchronised passkeys have it. */
  counter = 1;

  constructor(readonly origin: string = ORIGIN) {}

  get credentialId(): string {
    return this.id.toString('base64url');
  }

  /** Answers `navigator.credentials.create()`. */
  create(options: AskedOptions, faults: Faults = {}): CredentialJson {
    this.userHandle = options.user?.id ?? '';
    const attested = Buffer.concat([
      Buffer.alloc(16),
      Buffer.from([0, this.id.length]),
      this.id,
      coseKey(this.keys.publicKey),
    ]);
    const authData = Buffer.concat([
      this.authenticatorData(options.rp?.id ?? '', faults, HAS_CREDENTIAL),
      attested,
    ]);
    return this.toJson({
      clientDataJSON: this.clientData('webauthn.create', options, faults).toString('base64url'),
      attestationObject: attestationObject(authData).toString('base64url'),
      transports: ['internal'],
    });
  }

  /** Answers `navigator.credentials.get()`. */
  get(options: AskedOptions, faults: Faults = {}): CredentialJson {
    if (this.counter > 0) this.counter += 1;
    const authData = this.authenticatorData(options.rpId ?? '', faults, 0);
    const clientData = this.clientData('webauthn.get', options, faults);
    const key = faults.hasForeignKey
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      : this.keys.privateKey;
    return this.toJson({
      clientDataJSON: clientData.toString('base64url'),
      authenticatorData: authData.toString('base64url'),
      signature: sign('sha256', Buffer.concat([authData, sha256(clientData)]), key).toString('base64url'),
      userHandle: faults.userHandle ?? this.userHandle,
    });
  }

  private toJson(response: Record<string, unknown>): CredentialJson {
    const id = this.credentialId;
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response };
  }

  private clientData(type: string, { challenge }: AskedOptions, faults: Faults): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: faults.type ?? type,
        challenge: faults.challenge ?? challenge,
        origin: faults.origin ?? this.origin,
        crossOrigin: faults.crossOrigin ?? false,
        ...(faults.crossOrigin ? { topOrigin: 'https://evil.example' } : {}),
      }),
    );
  }

  private authenticatorData(rpId: string, faults: Faults, flags: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(faults.counter ?? this.counter);
    const own =
      (faults.isUserPresent === false ? 0 : USER_PRESENT) |
      (faults.isUserVerified === false ? 0 : USER_VERIFIED);
    return Buffer.concat([sha256(Buffer.from(faults.rpId ?? rpId)), Buffer.from([own | flags]), counter]);
  }
}

const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest();

/** CBOR: a map of five, `{1: 2, 3: -7, -1: 1, -2: x, -3: y}` (RFC 9053). */
function coseKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const coordinate = (label: number, text: string): Buffer =>
    Buffer.concat([Buffer.from([label, 0x58, 32]), Buffer.from(text, 'base64url')]);
  return Buffer.concat([
    Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01]),
    coordinate(0x21, x),
    coordinate(0x22, y),
  ]);
}

/** CBOR: `{"fmt": "none", "attStmt": {}, "authData": ...}`. */
function attestationObject(authData: Buffer): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);
  return Buffer.concat([
    Buffer.from([0xa3]),
    text('fmt'),
    text('none'),
    text('attStmt'),
    Buffer.from([0xa0]),
    text('authData'),
    Buffer.from([0x59, authData.length >> 8, authData.length & 0xff]),
    authData,
  ]);
}
