// Starts a server as Plinth would, in a process of its own: tells on stdout how it went, and stops at a line on stdin.
//   node serve-child.mjs <module> <options as JSON>
const [modulePath, options] = process.argv.slice(2);
const { startEmbeddedPostgres } = await import(modulePath);
const warnings = [];
const logger = { info() {}, warn: (_details, message) => warnings.push(message) };
try {
  const server = await startEmbeddedPostgres({ ...JSON.parse(options), logger });
  const { url, port, pid, dataDir, logPath, version } = server;
  console.log(JSON.stringify({ url, port, pid, dataDir, logPath, version, warnings }));
  process.stdin.once('data', () => {
    server.stop().then(() => process.exit(0));
  });
} catch (error) {
  console.log(JSON.stringify({ code: error.code ?? error.name, message: error.message }));
  process.exitCode = 1;
}
