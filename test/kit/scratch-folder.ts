import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';

/** Where Linux has memory that looks like a disk. */
const MEMORY = '/dev/shm';

/** Of that and of free memory; a run takes a small part of it. */
const ENOUGH_BYTES = 6 * 1024 ** 3;

/**
 * Where to put files that are made and removed by the thousand, as databases are: in memory where there is plenty, since
 * a file system on a disk takes its time for each, synchronised or not; otherwise in the system's folder for
 * temporary files.
 */
export async function findScratchFolder(): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(MEMORY);
    if (bavail * bsize >= ENOUGH_BYTES && process.availableMemory() >= ENOUGH_BYTES) return MEMORY;
  } catch {
    // Not every system has it.
  }
  return tmpdir();
}
