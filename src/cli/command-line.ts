/**
 * The frame of the command line: finds the command, shows help, and refuses in one line what it does not know. Every
 * command comes from one table, which the help is made of as well.
 */
import { version } from '#base/version.ts';
import { type Command, type CommandContext, type CommandGroup, exitCodes, type Flag } from './command.ts';
import { argumentsUsage } from './flags.ts';
import { didYouMean } from './nearest.ts';
import { alignColumns, Columns, type Style, styleFor } from './style.ts';

/** Runs `ballast` with `context.args`; resolves with its exit code. */
export async function runCommandLine(groups: readonly CommandGroup[], context: CommandContext): Promise<number> {
  const [name, ...args] = context.args;
  const commands = groups.flatMap((group) => group.commands);
  const style = styleFor(context.output, context.environment);
  switch (name) {
    case undefined:
    case '--help':
    case '-h':
      context.output.write(overview(groups, style));
      return exitCodes.ok;
    case '--version':
    case 'version':
      if (args.length > 0) return refuseUsage(context, `version takes no arguments; found '${args[0]}'`);
      context.output.write(`ballast ${version}\n`);
      return exitCodes.ok;
    case 'help':
      if (args.length === 0) {
        context.output.write(overview(groups, style));
        return exitCodes.ok;
      }
      return help(commands, args, context, style);
    default:
      return runNamed(commands, name, args, context, style);
  }
}

/** Says in one line what is wrong with the command line; gives the exit code for that. */
export function refuseUsage(context: CommandContext, message: string): number {
  context.errors.write(`ballast: ${message}\n`);
  return exitCodes.usage;
}

function help(commands: readonly Command[], args: readonly string[], context: CommandContext, style: Style): number {
  const [name, ...rest] = args;
  if (rest.length > 0) return refuseUsage(context, `help takes one command; found '${args.join(' ')}'`);
  const command = commands.find((each) => each.name === name);
  if (command === undefined) return refuseCommand(commands, name!, context);
  context.output.write(helpOf(command, style));
  return exitCodes.ok;
}

async function runNamed(
  commands: readonly Command[],
  name: string,
  args: readonly string[],
  context: CommandContext,
  style: Style,
): Promise<number> {
  const command = commands.find((each) => each.name === name);
  if (command === undefined) return refuseCommand(commands, name, context);
  if (args.includes('--help') || args.includes('-h')) {
    context.output.write(helpOf(command, style));
    return exitCodes.ok;
  }
  return command.run({ ...context, args });
}

function refuseCommand(commands: readonly Command[], name: string, context: CommandContext): number {
  const names = [...commands.map((command) => command.name), 'help', 'version'];
  const kind = name.startsWith('-') ? 'flag' : 'command';
  const words = kind === 'flag' ? ['--help', '--version'] : names;
  return refuseUsage(context, `unknown ${kind} '${name}'${didYouMean(name, words)}; allowed: ${words.join(', ')}`);
}

function overview(groups: readonly CommandGroup[], style: Style): string {
  const sections = [
    ...groups.map(({ title, commands }) => ({
      title,
      rows: commands.map((command) => [`${command.name}${argumentsUsage(command.arguments ?? [])}`, command.summary]),
    })),
    {
      title: 'Help',
      rows: [
        ['help [COMMAND]', 'show what a command does, and how'],
        ['version', 'show the version'],
      ],
    },
  ];
  const columns = new Columns('  ');
  // Once for the widths alone: the sections' columns stand under each other too.
  for (const { rows } of sections) columns.format(rows);
  return `${style.strong('Ballast')}: an elastic load balancing service that you run yourself

${style.strong('Usage')}
  ballast COMMAND [flags]

${sections.map(({ title, rows }) => `${style.strong(title)}\n${columns.format(rows)}`).join('\n\n')}

'ballast help COMMAND' shows the flags of a command and examples.
`;
}

function helpOf(command: Command, style: Style): string {
  const { name, summary, flags, notes = [], examples } = command;
  const expected = command.arguments ?? [];
  const usage = `  ballast ${name}${argumentsUsage(expected)}${flags.length === 0 ? '' : ' [flags]'}`;
  const sections: [title: string, text: string][] = [
    ['Usage', usage],
    ['Arguments', alignColumns(expected.map((argument) => [argument.name, argument.help]))],
    ['Flags', alignColumns(flags.map(flagRow))],
    ['Notes', notes.map((note) => `  ${note}`).join('\n')],
    ['Examples', alignColumns(examples.map(({ line, purpose }) => [line, purpose]))],
  ];
  const shown = sections.filter(([, text]) => text !== '');
  return `${style.strong(`ballast ${name}`)}: ${summary}

${shown.map(([title, text]) => `${style.strong(title)}\n${text}`).join('\n\n')}
`;
}

function flagRow({ name, argument, help }: Flag): string[] {
  return [argument === undefined ? `--${name}` : `--${name} ${argument}`, help];
}
