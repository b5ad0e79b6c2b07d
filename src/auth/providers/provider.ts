/** Somebody, as a provider knows them. */
export interface ExternalIdentity {
  readonly provider: string;
  readonly issuer: string;
  /** Who it is, among all of the issuer. */
  readonly subject: string;
  /** Null where there is none, or none that could be an account's. */
  readonly email: string | null;
  /** Whether the provider knows the address to be theirs. */
  readonly isEmailVerified: boolean;
  readonly name: string | null;
  readonly groups: readonly string[];
}

/** What one sign-in at a provider is known by, there and back. */
export interface FlowSecrets {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
}

/** Somewhere that tells who people are. */
export interface Provider {
  readonly name: string;
  /** What a button says. */
  readonly label: string;
  /**
   * Where a browser is sent.
   * @throws ProviderFailure `unavailable`
   */
  begin(redirectUri: string, secrets: FlowSecrets): Promise<string>;
  /**
   * Who came back.
   * @param callback the redirect address with what the provider added
   * @throws ProviderFailure
   */
  finish(callback: URL, secrets: FlowSecrets): Promise<ExternalIdentity>;
}
