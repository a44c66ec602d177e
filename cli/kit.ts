import { resolve } from 'node:path';
import type { Command } from 'commander';
import { examples, group } from './command.ts';
import { does } from './outcome.ts';

interface ExportOptions {
  output?: string;
  recipient: string[];
  passphraseFile?: string;
}

interface Kit {
  id: string;
  writtenAt: string;
  writtenBy: string;
  digest: string;
  sealedDigest: string;
  folder: string;
  sealedFor: string[];
  confirmedAt: string | null;
  confirmedBy: string | null;
  outdatedAt: string | null;
  current: boolean;
}

export function kitCommands(program: Command): void {
  const kit = group(
    program,
    'kit',
    'the recovery kit: what it takes to get everything back without Holdfast',
  );

  kit
    .command('export')
    .description('write the kit: a sealed file with every key, and a sheet to print with every command')
    .option('--output <folder>', 'where to, on the host (default: `kit` beside the configuration)')
    .option('--recipient <age1…>', 'who can open it; may be repeated (default: as configured)', collected, [])
    .option('--passphrase-file <file>', 'seal it with the passphrase in this file of the host instead')
    .addHelpText('after', examples('kit export', 'kit export --output /media/usb --recipient age1…'))
    .action(
      does(async (call, { output, recipient, passphraseFile }: ExportOptions) => {
        const service = await call.service();
        const written = await service.post<Kit>('/kit/exports', {
          folder: output === undefined ? null : resolve(output),
          recipients: recipient,
          passphraseFile: passphraseFile === undefined ? null : resolve(passphraseFile),
        });
        return { data: written, text: () => text(written) };
      }),
    );

  kit
    .command('show')
    .description('the newest kit: when it was written, for whom, and whether it says what is true now')
    .action(
      does(async (call) => {
        const service = await call.service();
        const newest = await service.get<Kit>('/kit');
        return { data: newest, text: () => text(newest) };
      }),
    );

  kit
    .command('confirm')
    .description('say that the newest kit has taken the place of the printed and stored copies before it')
    .action(
      does(async (call) => {
        const service = await call.service();
        const confirmed = await service.post<Kit>('/kit/confirmations');
        return { data: confirmed, text: () => text(confirmed) };
      }),
    );
}

function collected(word: string, words: string[]): string[] {
  return [...words, word];
}

function text(kit: Kit): string {
  const state = kit.current
    ? kit.confirmedAt === null
      ? 'current, and not confirmed: replace the copies before it, then `holdfast kit confirm`'
      : `current, confirmed ${kit.confirmedAt} by ${kit.confirmedBy}`
    : 'OUTDATED: `holdfast kit export`';
  return [
    `recovery kit ${kit.digest.slice(0, 16)}`,
    `  state    ${state}`,
    `  written  ${kit.writtenAt} by ${kit.writtenBy}`,
    `  sealed   ${kit.folder}/recovery-kit.age (sha256 ${kit.sealedDigest})`,
    `           for ${kit.sealedFor.join(', ')}`,
    `  sheet    ${kit.folder}/recovery-kit.md: print it, and keep both away from this host`,
  ].join('\n');
}
