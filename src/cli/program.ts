/** The command line: all commands, their help, and what their outcome means to the shell. */
import { type Command, Help, type Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { addAdmissionCommand } from './admission.ts';
import { addAnchorCommand } from './anchor/anchor-command.ts';
import { addApiResourceCommand } from './api-resource/api-resource-command.ts';
import { addAuditCommand } from './audit/audit-command.ts';
import { addAuthorityCommand } from './authority/authority-command.ts';
import { addAuthorizationServerCommand } from './authorization-server/authorization-server-command.ts';
import { addCaCommand } from './ca/ca-command.ts';
import { addCertificateCommand } from './certificate/certificate-command.ts';
import { addChainCommand } from './chain/chain-command.ts';
import { EXIT, type ExitCode } from './command-error.ts';
import { addConfigurationCommand } from './configuration/configuration-command.ts';
import { addCredentialCommand } from './credential/credential-command.ts';
import { addDecisionsCommand } from './decisions/decisions-command.ts';
import { addEnforcementPointCommand } from './enforcement-point/enforcement-point-command.ts';
import { addEnrolmentCommand } from './enrolment/enrolment-command.ts';
import { addEntityCommand } from './entity/entity-command.ts';
import { addEventsCommand } from './events.ts';
import { addExceptionCommand } from './exception/exception-command.ts';
import { failureJson, failureOf, failureText } from './failure.ts';
import { addFindingsCommand } from './findings.ts';
import { unwrapped, wrapped } from './help-layout.ts';
import { addInspectCommand } from './inspect.ts';
import { asTyped } from './invocation.ts';
import { addJobsCommand } from './jobs/jobs-command.ts';
import { addKeysCommand } from './keys/keys-command.ts';
import { addKeystoreCommand } from './keystore.ts';
import { addMigrateCommand } from './migrate.ts';
import { addOrganisationCommand } from './organisation/organisation-command.ts';
import { addPolicyCommand } from './policy/policy-command.ts';
import { printable } from './printable.ts';
import { addPropagationCommand } from './propagation.ts';
import { addResolveCommand } from './resolve.ts';
import { addRoleCommand } from './role/role-command.ts';
import { addServeCommand } from './serve.ts';
import { addSloCommand } from './slo.ts';
import { addStatusCommand } from './status.ts';
import type { OutputStream, Surroundings } from './surroundings.ts';
import { addTokenCommand } from './token/token-command.ts';
import { addTokenIssuerCommand } from './token-issuer/token-issuer-command.ts';
import { addExportCommand } from './transfer/export.ts';
import { addImportCommand } from './transfer/import.ts';
import { addImportsCommand } from './transfer/imports.ts';
import { addTrustListCommand } from './trust-list/trust-list-command.ts';
import { addTrustMarkCommand } from './trust-mark/trust-mark-command.ts';
import { ValueAwareCommand } from './value-aware-command.ts';
import { addWebhookCommand } from './webhook/webhook-command.ts';
import { addWhoamiCommand } from './whoami.ts';

/** Where output is no terminal. */
const DEFAULT_HELP_WIDTH = 100;

const DESCRIPTION = 'Holdfast: an OpenID Federation Trust Anchor and Intermediate with a participant directory.';

const WORKED_EXAMPLE = asTyped(`
The main job, from nothing to a resolved partner:
  $ holdfast serve                                        # in a terminal of its own
  $ export HOLDFAST_TOKEN=$(holdfast token claim --name me)
  $ holdfast organisation add "Example University" --contact incident=soc@example.edu
  $ holdfast organisation approve "Example University"
  $ holdfast entity add https://rp.example.edu --organisation "Example University"
  $ holdfast entity approve https://rp.example.edu            # shows the checks, then asks
  $ holdfast anchor fetch http://localhost:8080 --out anchor.json
  $ holdfast resolve https://rp.example.edu --anchor http://localhost:8080 --anchor-jwks anchor.json
  $ holdfast entity suspend https://rp.example.edu --reason "incident 4711"

The partner at rp.example.edu publishes what you enrol:
  $ holdfast configuration init --entity https://rp.example.edu --superior http://localhost:8080 \\
      --type openid_relying_party --dir rp
  $ holdfast configuration serve --dir rp

Environment: HOLDFAST_URL (http://localhost:8080), HOLDFAST_TOKEN; those of the service: \`holdfast serve --help\`
Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 service or database out of reach, 70 a fault of holdfast`);

export function createProgram(surroundings: Surroundings): Command {
  const program: Command = new ValueAwareCommand('holdfast')
    .description(DESCRIPTION)
    .version(packageJson.version)
    .option('--json', 'write JSON for machines: the result to stdout, an error to stderr')
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: ({ parent }) => (parent === null ? [] : program.options.filter(isOfEveryCommand)),
      subcommandDescription: summaryOf,
      commandDescription: (command) => asTyped(unwrapped(command.description())),
      optionDescription: optionText,
      boxWrap: wrapped,
    })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => surroundings.stderr.write(text),
      // Errors are reported in one place, with all others.
      outputError: () => {},
      getOutHelpWidth: () => surroundings.stdout.columns ?? DEFAULT_HELP_WIDTH,
      getErrHelpWidth: () => surroundings.stderr.columns ?? DEFAULT_HELP_WIDTH,
    })
    .addHelpText('after', WORKED_EXAMPLE);
  program.commandsGroup('Run the service:');
  addServeCommand(program, surroundings);
  addMigrateCommand(program, surroundings);
  program.commandsGroup('Work with a running service:');
  addTokenCommand(program, surroundings);
  addWhoamiCommand(program, surroundings);
  addAuthorityCommand(program, surroundings);
  addOrganisationCommand(program, surroundings);
  addEnrolmentCommand(program, surroundings);
  addEntityCommand(program, surroundings);
  addCredentialCommand(program, surroundings);
  addCertificateCommand(program, surroundings);
  addKeystoreCommand(program, surroundings);
  addTrustListCommand(program, surroundings);
  addCaCommand(program, surroundings);
  addRoleCommand(program, surroundings);
  addAuthorizationServerCommand(program, surroundings);
  addApiResourceCommand(program, surroundings);
  addExceptionCommand(program, surroundings);
  addFindingsCommand(program, surroundings);
  addTrustMarkCommand(program, surroundings);
  addAnchorCommand(program, surroundings);
  addEnforcementPointCommand(program, surroundings);
  addTokenIssuerCommand(program, surroundings);
  addEventsCommand(program, surroundings);
  addStatusCommand(program, surroundings);
  addWebhookCommand(program, surroundings);
  addAdmissionCommand(program, surroundings);
  addDecisionsCommand(program, surroundings);
  addPropagationCommand(program, surroundings);
  addSloCommand(program, surroundings);
  addAuditCommand(program, surroundings);
  addJobsCommand(program, surroundings);
  addKeysCommand(program, surroundings);
  addExportCommand(program, surroundings);
  addImportCommand(program, surroundings);
  addImportsCommand(program, surroundings);
  program.commandsGroup('Without any service:');
  addResolveCommand(program, surroundings);
  addInspectCommand(program, surroundings);
  addChainCommand(program, surroundings);
  addPolicyCommand(program, surroundings);
  addConfigurationCommand(program, surroundings);
  program.helpCommand('help [command]', 'show the help of a command');
  return program;
}

/** With commands as they are typed here. */
function optionText(option: Option): string {
  return asTyped(new Help().optionDescription(option));
}

/** `--version` is for the program as a whole. */
function isOfEveryCommand({ long }: Option): boolean {
  return long === '--json';
}

/** In lists of commands: its summary, or what it does according to its description. */
function summaryOf(command: Command): string {
  const [first = ''] = command.description().split(/[.;:]/, 1);
  return command.summary() || first.charAt(0).toLowerCase() + first.slice(1);
}

/**
 * Help of a command that does not exist is the help of nothing: without the flag the parser complains, with suggestions.
 */
function withoutHelpOfUnknown(program: Command, argv: readonly string[]): string[] {
  let command = program;
  for (const word of argv) {
    if (word.startsWith('-')) continue;
    if (command.commands.length === 0 || hasDefault(command) || word === 'help') break;
    const below = command.commands.find((candidate) => candidate.name() === word);
    if (below === undefined) return argv.filter((given) => given !== '--help' && given !== '-h');
    command = below;
  }
  return [...argv];
}

/** Whether words that are no subcommand are arguments of one; commander has no public name for that. */
function hasDefault(command: Command): boolean {
  return Reflect.get(command, '_defaultCommandName') !== null;
}

/** Runs one command line. @returns the exit code */
export async function runProgram(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  endQuietlyOnClosedPipe(surroundings.stdout);
  try {
    const program = createProgram(surroundings);
    await program.parseAsync(withoutHelpOfUnknown(program, argv), { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    const failure = failureOf(error);
    if (!failure.isReported) {
      const text = argv.includes('--json') ? failureJson(failure) : failureText(failure);
      surroundings.stderr.write(printable(text));
    }
    return failure.exitCode;
  }
}

/** `holdfast … | head` is no error. */
function endQuietlyOnClosedPipe(stdout: OutputStream): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
}
