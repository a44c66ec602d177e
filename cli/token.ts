import type { Command } from 'commander';
import { examples, group } from './command.ts';
import type { List } from './command.ts';
import { does } from './outcome.ts';
import { segment } from './service.ts';

interface TokenEntry {
  name: string;
  role: string;
  createdAt: string;
  revokedAt: string | null;
}

export function tokenCommands(program: Command): void {
  const token = group(program, 'token', 'who may use the service, and as what');

  token
    .command('create <name>')
    .description('make a token; it is printed this once and kept only as its hash')
    .requiredOption('--role <role>', 'viewer (look), operator (run), approver, or admin (everything)')
    .addHelpText('after', examples('token create monitoring --role viewer'))
    .action(
      does(async (call, name: string, { role }: { role: string }) => {
        const service = await call.service();
        const made = await service.post<TokenEntry & { token: string }>('/tokens', { name, role });
        call.say(`token ${made.name} (${made.role}), shown only now; use it as HOLDFAST_TOKEN`);
        return { data: made, text: () => made.token };
      }),
    );

  token
    .command('list')
    .description('tokens, newest first, without their secret')
    .action(
      does(async (call) => {
        const service = await call.service();
        const list = await service.get<List<TokenEntry>>('/tokens');
        return { data: list, text: () => listText(list) };
      }),
    );

  token
    .command('revoke <name>')
    .description('refuse a token from now on')
    .addHelpText('after', examples('token revoke monitoring'))
    .action(
      does(async (call, name: string) => {
        const service = await call.service();
        await service.delete(`/tokens/${segment(name)}`);
        return { data: { name, revoked: true }, text: () => `token ${name} is refused from now on` };
      }),
    );
}

async function listText(list: List<TokenEntry>): Promise<string> {
  const [{ table }, { when }] = await Promise.all([import('./table.ts'), import('./when.ts')]);
  const rows = list.items.map(({ name, role, createdAt, revokedAt }) => [
    name,
    role,
    when(createdAt),
    revokedAt === null ? '-' : when(revokedAt),
  ]);
  return table(['NAME', 'ROLE', 'MADE', 'REVOKED'], rows);
}
