/** What can go wrong with an embedded server. Codes are stable. */
export type EmbeddedPostgresErrorCode =
  /** No binaries for this platform, or they cannot run here. */
  | 'embedded.platform'
  /** No account to initialise the data under. */
  | 'embedded.account'
  /** A folder cannot be made, read, written or reached. */
  | 'embedded.folder'
  | 'embedded.disk-full'
  | 'embedded.initialise-failed'
  /** The data belong to another major version. */
  | 'embedded.version'
  /** The data are being served already. */
  | 'embedded.in-use'
  | 'embedded.port-taken'
  | 'embedded.start-failed';

/** An embedded server that cannot be had; `message` says what is wrong, where, and what to do. */
export class EmbeddedPostgresError extends Error {
  constructor(
    readonly code: EmbeddedPostgresErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EmbeddedPostgresError';
  }
}

/** The `code` of a system error, such as `ENOENT`; undefined for everything else. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The text of whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether a program's last words tell that the disk was full. */
export function tellsOfFullDisk(output: string): boolean {
  return /No space left on device|Disk quota exceeded|Check free disk space/.test(output);
}

/** Says what to do about a system error that came up while working in the database's folder; gives others back. */
export function explainFolderError(error: unknown, folder: string): unknown {
  if (error instanceof EmbeddedPostgresError) return error;
  const code = systemErrorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EmbeddedPostgresError(
      'embedded.disk-full',
      `The disk of the database's folder ${folder} is full: ${errorText(error)}. ` +
        `Make room, or set PLINTH_DATA_DIR to a folder on another disk.`,
      { cause: error },
    );
  }
  if (code === undefined || !FOLDER_ERRORS.has(code)) return error;
  return new EmbeddedPostgresError(
    'embedded.folder',
    `The database's folder ${folder} cannot be used: ${errorText(error)}. Run Plinth as the user that owns it, make it ` +
      `writable, or set PLINTH_DATA_DIR to another folder.`,
    { cause: error },
  );
}

const FOLDER_ERRORS = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'ELOOP', 'EIO']);
