/** The tables of a DCO: what its store is migrated to. The journal's are those of every journal. */

import { journalMigration } from '../../../ground/store/migrate.ts'

export const dcoMigrations: readonly URL[] = [journalMigration, new URL('./migrations/', import.meta.url)]
