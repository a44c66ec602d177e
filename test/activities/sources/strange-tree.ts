// A tree with everything a file system allows that a careless program loses.
import { execFileSync } from 'node:child_process';
import { link, mkdir, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

export const LONGEST_NAME = 'ä'.repeat(127) + 'x';

/** Returns the server that owns the socket in the tree; close it in the end. */
export async function makeStrangeTree(root: string): Promise<Server> {
  const at = (name: string) => join(root, name);
  const raw = (...bytes: number[]) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(bytes)]);
  await mkdir(at('folder/empty'), { recursive: true });
  await writeFile(at('plain'), 'plain\n');
  await writeFile(at('with space'), 'space\n');
  await writeFile(at('line\nbreak'), 'newline\n');
  await writeFile(at('carriage\rreturn\n'), 'control characters\n');
  await writeFile(at('quote\'s "and" \\back'), 'quotes\n');
  await writeFile(at('-rf'), 'dash\n');
  await writeFile(at('%20'), 'percent\n');
  await writeFile(at('[a]*?'), 'glob\n');
  await writeFile(at(LONGEST_NAME), 'long\n');
  await writeFile(raw(0x62, 0xff, 0xfe, 0x0a, 0x7a), 'not UTF-8\n');
  await mkdir(raw(0xc3, 0x28));
  await writeFile(
    Buffer.concat([raw(0xc3, 0x28), Buffer.from('/inside')]),
    'in a folder that is not UTF-8\n',
  );
  await writeFile(at('folder/original'), 'linked\n');
  await link(at('folder/original'), at('another name'));
  await symlink('nowhere/at/all', at('dangling'));
  await symlink('..', at('folder/loop'));
  await symlink(Buffer.from([0x78, 0xff]), at('link to bytes'));
  await writeFile(at('sparse'), 'x');
  await truncate(at('sparse'), 3 * 1024 * 1024);
  await writeFile(at('empty file'), '');
  const secret = await open(at('mode 4710'), 'w', 0o600);
  await secret.writeFile('mode\n');
  await secret.close();
  execFileSync('chmod', ['4710', '--', at('mode 4710')]);
  execFileSync('mkfifo', ['--', at('fifo')]);
  execFileSync('setfattr', ['-n', 'user.a b\\c', '-v', '0x00ff0a', '--', at('plain')]);
  execFileSync('setfattr', ['-n', 'user.line\nbreak', '-v', 'x', '--', at('carriage\rreturn\n')]);
  execFileSync('setfattr', ['-n', 'user.folder', '-v', 'value', '--', at('folder')]);
  execFileSync('touch', ['-h', '-d', '@1000000000.123456789', '--', at('dangling')]);
  execFileSync('touch', ['-d', '@-1.5', '--', at('with space')]);
  execFileSync('touch', ['-d', '@1234567890.987654321', '--', at('folder')]);
  await rm(at('socket'), { force: true });
  return await listenAt(at('socket'));
}

async function listenAt(path: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  return server;
}
