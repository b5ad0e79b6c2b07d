import { printCatalog } from '@plinth/schema';
import { CatalogService } from '../catalog/index.js';
import { withApplication } from './with-application.js';

/** Prints what the catalog knows, as text for people. */
export async function printSchema(): Promise<void> {
  const text = await withApplication((app) =>
    Promise.resolve(printCatalog(app.get(CatalogService).current())),
  );
  process.stdout.write(`${text.trimEnd()}\n`);
}
