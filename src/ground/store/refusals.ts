/** The codes with which the store says no. None is ever renamed or given another meaning. */

export const storeRefusals = {
  STORE_IN_USE: 'another process holds this data folder',
  STORE_UNREACHABLE: 'the user that PostgreSQL must run as cannot reach a folder',
  STORE_NO_BINARIES: 'there is no PostgreSQL here that this machine can run',
  STORE_TOO_OLD: 'the PostgreSQL server is older than the program needs',
  STORE_TOO_NEW: 'the database was migrated by a newer program',
  MIGRATION_CHANGED: 'a migration that was applied is no longer the one the program carries',
} as const satisfies Record<string, string>

export type StoreRefusal = keyof typeof storeRefusals
