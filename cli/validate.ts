import type { Command } from 'commander';
import { examples } from './command.ts';
import { does } from './outcome.ts';

export function validateCommand(program: Command): void {
  program
    .command('validate')
    .description('check the configuration; needs no running service and changes nothing')
    .addHelpText('after', examples('validate', 'validate --config /etc/holdfast.yaml --json'))
    .action(
      does(async (call) => {
        const [{ loadConfiguration }, { formatProblem }, { guardWords }] = await Promise.all([
          import('./configuration-file.ts'),
          import('../domain/configuration/problem.ts'),
          import('../domain/guards/guard-words.ts'),
        ]);
        const { path, digest, warnings, configuration } = await loadConfiguration({ option: call.config });
        const { assets, policies, repositories } = configuration;
        const summary = {
          assets: assets.length,
          policies: policies.length,
          repositories: repositories.length,
        };
        for (const warning of warnings) call.say(`warning: ${formatProblem(warning)}`);
        return {
          data: { valid: true, path, digest, ...summary, limits: repositories.map(guardWords), warnings },
          text: () =>
            [
              `${path} is valid: ${summary.assets} assets, ${summary.policies} policies, ${summary.repositories} repositories`,
              ...repositories.map((repository) => `  ${guardWords(repository)}`),
            ].join('\n'),
        };
      }),
    );
}
