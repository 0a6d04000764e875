"""DynamoDB: the tables of docs/data-model.md."""
