// Two alarms for every function: it fails, or it is called more often than it may run at once. One that runs by itself
// has nobody who would notice.

const { readdirSync, existsSync } = require("node:fs");
const { join } = require("node:path");

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable("sls:stage");
  const folder = join(__dirname, "..", "functions");
  const functions = readdirSync(folder).filter((name) => existsSync(join(folder, name, "handler.py")));
  const alarms = functions.flatMap((name) => [
    [logicalId(name, "Errors"), alarm(stage, name, "Errors", "Invocations that failed: look for its log's errors.")],
    [logicalId(name, "Throttles"), alarm(stage, name, "Throttles", "Refused for want of concurrency.")],
  ]);
  return { Resources: Object.fromEntries(alarms) };
};

function logicalId(name, metric) {
  const words = name.split("_").map((word) => word[0].toUpperCase() + word.slice(1));
  return `${words.join("")}${metric}Alarm`;
}

function alarm(stage, name, metric, description) {
  return {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmDescription: `${name}: ${description}`,
      Namespace: "AWS/Lambda",
      MetricName: metric,
      Dimensions: [{ Name: "FunctionName", Value: `nexus-pharmacy-${stage}-${name}` }],
      Statistic: "Sum",
      Period: 300,
      EvaluationPeriods: 1,
      Threshold: 0,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "notBreaching",
      AlarmActions: [{ Ref: "AlarmTopic" }],
    },
  };
}
