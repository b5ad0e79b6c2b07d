/** Who asks. The kind is part of the identity: a key and a user with equal ids are two actors. */
export interface Actor {
  readonly kind: 'public' | 'key' | 'user' | 'function';
  /** Null for `public`. */
  readonly id: string | null;
  /** Effective roles, sorted, `public` among them. */
  readonly roles: readonly string[];
  /** What the credential says about the actor beyond its roles; plain JSON. */
  readonly claims: Readonly<Record<string, unknown>>;
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
