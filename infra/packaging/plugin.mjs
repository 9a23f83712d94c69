// Serverless plugin: what `osls package` and `osls deploy` upload is what `python -m infra.packaging` builds, packages
// and all. So there is no second way to package, and no way to deploy an artefact that is out of date.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";

export default class Packaging {
  constructor(serverless) {
    this.hooks = {
      "before:package:createDeploymentArtifacts": () => buildArtifacts(serverless),
      "before:package:finalize": () => leaveOutWhatNobodyNeeds(serverless.service),
    };
  }
}

function buildArtifacts({ serviceDir, service, classes }) {
  const python = process.env.NEXUS_PYTHON ?? join(serviceDir, ".venv", "bin", "python");
  const finished = spawnSync(python, ["-m", "infra.packaging"], { cwd: serviceDir, stdio: "inherit" });
  if (finished.status !== 0) throw new classes.Error("The functions could not be packaged: the reason is above.");
  for (const name of service.getAllFunctions()) {
    service.getFunction(name).package = { artifact: join(".local", "packages", "lambda", `${name}.zip`) };
  }
}

// Rights that come from the framework: a role for functions without one of their own, and sending to SNS where the
// dead letters go to SQS. It runs after serverless-iam-roles-per-function.
function leaveOutWhatNobodyNeeds({ provider }) {
  const resources = provider.compiledCloudFormationTemplate.Resources;
  delete resources.IamRoleLambdaExecution;
  for (const { Type, Properties } of Object.values(resources)) {
    if (Type !== "AWS::IAM::Role") continue;
    for (const { PolicyDocument } of Properties.Policies) {
      PolicyDocument.Statement = PolicyDocument.Statement.filter(
        ({ Action, Resource }) => !(Action.includes("sns:Publish") && Resource["Fn::GetAtt"]),
      );
    }
  }
}
