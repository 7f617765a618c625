// Types of the events' bodies, as Modelina makes them of AsyncAPI: node modelina.mjs FILE > types
import { TypeScriptGenerator } from '@asyncapi/modelina';
import { Parser, fromFile } from '@asyncapi/parser';

const { document } = await fromFile(new Parser(), process.argv[2]).parse();
const generator = new TypeScriptGenerator({ modelType: 'interface', rawPropertyNames: true });
for (const { result } of await generator.generate(document)) console.log(`export ${result}\n`);
