import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { sendSmtp } from '../../../activities/notify/smtp.ts';
import type { SmtpChannel } from '../../../domain/configuration/notification-types.ts';
import { HoldfastError } from '../../../domain/errors.ts';
import { anItem, aTest, incidents } from './messages.ts';

const PASSWORD = 'canary-mail-password';
const ID = '11111111-1111-4111-8111-111111111111';
const channel: SmtpChannel = {
  name: 'ops',
  type: 'smtp',
  url: { kind: 'env', name: 'UNUSED' },
  from: 'holdfast@example.org',
  to: ['ops@example.org', 'nobody@example.org'],
  on: [],
  severity: 'info',
  policies: [],
  remindEverySeconds: null,
};

describe('mail', () => {
  let server: SMTPServer;
  let mails: string[];

  /** A real SMTP server on loopback. */
  async function serve(options: SMTPServerOptions = {}): Promise<string> {
    mails = [];
    server = new SMTPServer({
      authOptional: true,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      onAuth: (auth, _session, answer) =>
        auth.password === PASSWORD
          ? answer(null, { user: auth.username ?? '' })
          : answer(new Error(`no: ${auth.password}`)),
      onData: (stream, _session, answer) => {
        let mail = '';
        stream.on('data', (chunk: Buffer) => (mail += chunk.toString()));
        stream.on('end', () => {
          mails.push(mail);
          answer(null, 'queued as 7');
        });
      },
      ...options,
    });
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }
  afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

  async function refusal(address: string): Promise<HoldfastError> {
    const error: unknown = await sendSmtp(channel, address, aTest).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof HoldfastError, String(error));
    assert.ok(!JSON.stringify([error.message, error.cause, error.hint]).includes(PASSWORD), error.cause);
    return error;
  }

  it('arrives with a short subject, its text, and an id that is the same in every attempt', async () => {
    const place = await serve();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { words } = await sendSmtp(channel, `smtp://robot:${PASSWORD}@${place}`, incidents(ID, anItem()));
      assert.match(words, /queued as 7/);
    }
    for (const mail of mails) {
      assert.match(mail, /^Subject: page: orders misses its recovery point objective of 1 d\r$/m);
      assert.match(mail, new RegExp(`^Message-ID: <${ID}@holdfast>\\r$`, 'm'));
      assert.match(mail, /^Auto-Submitted: auto-generated\r$/m);
      assert.match(mail, /next: {2}`holdfast backup run daily`/);
    }
    assert.equal(mails.length, 2);
  });

  it('answers the mail it goes on from', async () => {
    const place = await serve();
    const over = anItem({ event: 'resolved', resolvedAt: '2026-11-20T03:00:00.000Z' });
    await sendSmtp(channel, `smtp://${place}`, incidents('77777777-7777-4777-8777-777777777777', over));
    assert.match(mails[0] ?? '', new RegExp(`^In-Reply-To: <${ID}@holdfast>\\r$`, 'm'));
  });

  it('a wrong password is no weather, and is not repeated', async () => {
    const place = await serve();
    const error = await refusal(`smtp://robot:${PASSWORD}-not@${place}`);
    assert.equal(error.code, 'channel.misconfigured');
  });

  it('an addressee that is refused is said, a server that is busy is tried again', async () => {
    const refusing = await serve({
      onRcptTo: ({ address }, _session, answer) =>
        answer(address.startsWith('nobody') ? Object.assign(new Error('who?'), { responseCode: 550 }) : null),
    });
    const error = await refusal(`smtp://${refusing}`);
    assert.equal(error.code, 'channel.refused');
    assert.match(error.cause, /not taken for 1 of the addressees/);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const busy = await serve({
      onMailFrom: (_address, _session, answer) =>
        answer(Object.assign(new Error('try later'), { responseCode: 451 })),
    });
    assert.equal((await refusal(`smtp://${busy}`)).code, 'channel.unreachable');
  });

  it('an address that is none is said without showing it', async () => {
    await serve();
    assert.equal((await refusal(`imap://robot:${PASSWORD}@127.0.0.1`)).code, 'channel.misconfigured');
  });

  it('off this machine nothing goes without TLS', async () => {
    // The name is this machine by another word, so that the test needs no other one.
    const place = await serve({ disabledCommands: ['STARTTLS'] });
    const error = await refusal(`smtp://robot:${PASSWORD}@${place.replace('127.0.0.1', '0.0.0.0')}`);
    assert.equal(error.code, 'channel.misconfigured');
    assert.match(error.cause, /TLS/);
    assert.deepEqual(mails, []);
  });
});
