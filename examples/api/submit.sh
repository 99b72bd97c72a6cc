# Create your solution
cat > my_solution.py << 'EOF'
import pandas as pd
# ... your ML code here ...
submission.to_csv('./submission.csv', index=False)
EOF

# Create config
cat > config.yaml << 'EOF'
competition_id: "random-acts-of-pizza"
project_id: "my_project"
user_id: "sarang"
expected_time: 60
token: "sarang"
EOF

# Submit and get grading results
response=$(curl -s -X POST http://localhost:8001/api/submit \
  -F "code=@my_solution.py" \
  -F "config_file=@config.yaml")

# Parse results
echo "$response" | python3 -c "
import sys, json
data = json.load(sys.stdin)
results = json.loads(data['stdout'])
print(f\"Score: {results['test_fitness']}\")
print(f\"Execution time: {results['exec_time']}s\")
print(f\"Gold medal: {results['grading_report']['gold_medal']}\")
"
