import { ClientSecretBasic, ClientSecretPost, None, type ClientAuth } from 'openid-client';

/**
 * How the application proves who it is: as the provider says that it can, which by the standard is HTTP's basic
 * authentication where it says nothing.
 */
export function clientAuthentication(secret: string | null): ClientAuth {
  if (secret === null) return None();
  const [post, basic] = [ClientSecretPost(secret), ClientSecretBasic(secret)];
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authenticate = methods.includes('client_secret_basic') ? basic : post;
    return authenticate(server, client, body, headers);
  };
}
