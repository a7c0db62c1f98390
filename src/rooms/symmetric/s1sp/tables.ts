/** The tables of an S1SP: what its store is migrated to. The journal's are those of every journal. */

import { journalMigration } from '../../../ground/store/migrate.ts'

export const s1spMigrations: readonly URL[] = [journalMigration, new URL('./migrations/', import.meta.url)]
