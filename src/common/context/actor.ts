/** `public` is everybody without a credential. */
export const ACTOR_KINDS = ['public', 'key', 'user', 'function'] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** The session in which a user asks. */
export interface ActorSession {
  readonly id: string;
  /** Whether its credential is a cookie, which browsers send by themselves. */
  readonly isCookie: boolean;
  /** When the user last proved who they are, in milliseconds since 1970. */
  readonly authenticatedAtMs: number;
  /** Id of the administrator who acts as the user; absent where the user asks. */
  readonly actedBy?: string;
  /** When they last did so with a second factor, or with something that counts as two; null for never. */
  readonly secondFactorAtMs: number | null;
  /** How they did, as RFC 8176 names it: `pwd`, `otp`, `swk`, ... */
  readonly amr: readonly string[];
  /** Whether the user has a second factor now, used in this session or not. */
  readonly hasSecondFactor: boolean;
}

/** Who asks. The kind is part of the identity: a key and a user with equal ids are two actors. */
export interface Actor {
  readonly kind: ActorKind;
  /** Null for `public`. */
  readonly id: string | null;
  /** Effective roles, sorted, `public` among them. */
  readonly roles: readonly string[];
  /** What the credential says about the actor beyond its roles; plain JSON. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Of a user who signed in. */
  readonly session?: ActorSession;
}

export const PUBLIC_ACTOR: Actor = Object.freeze({
  kind: 'public',
  id: null,
  roles: Object.freeze(['public']),
  claims: Object.freeze({}),
});

/** One text that tells actors of all kinds apart: for logs, idempotency keys and caches. */
export const actorKey = (actor: Actor): string =>
  actor.id === null ? actor.kind : `${actor.kind}:${actor.id}`;
