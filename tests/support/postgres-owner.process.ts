/** postgres-owner.process — a process that owns a cluster until it is killed; for the test that kills it. */
import postgres from 'postgres';
import { startPostgresCluster } from './postgres-cluster.ts';

const { url } = await startPostgresCluster();
const sql = postgres(url, { max: 1 });
const [row] = await sql`SELECT current_setting('data_directory') AS folder`;
process.send?.({ url, folder: row?.folder });
