// The schema editors complete and check against; published as holdfast.schema.json.

import { z } from 'zod';
import { configurationSchema } from './schema.ts';

/** Draft 7: what the YAML language servers know best. Describes the file as written, not what it becomes. */
export function configurationJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(configurationSchema, { io: 'input', target: 'draft-7' });
  return {
    $schema,
    title: 'Holdfast configuration',
    description:
      'holdfast.yaml. What holds between keys (names that must exist, one of every and cron, …) is checked by `holdfast validate`.',
    ...schema,
  };
}
