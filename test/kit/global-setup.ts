/** Uses the server that PLINTH_TEST_DATABASE_URL names. */
export default async function setUpTestServer(): Promise<() => Promise<void>> {
  if (!process.env['PLINTH_TEST_DATABASE_URL']) throw new Error('Set PLINTH_TEST_DATABASE_URL');
  return async () => {};
}
