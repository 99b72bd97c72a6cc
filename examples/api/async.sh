# Submit long-running job without waiting
curl -s -X POST "http://localhost:8001/api/submit?wait=false" \
  -F "code=@long_training.py" \
  -F "config_file=@config.yaml" | tee response.json

# Extract job ID
JOB_ID=$(cat response.json | jq -r '.job_id')
echo "Job ID: $JOB_ID"

# Check status periodically (job continues running)
while true; do
  STATUS=$(curl -s -H "Authorization: Bearer YOUR_TOKEN" \
    "http://localhost:8001/api/status/$JOB_ID" | jq -r '.status')
  echo "[$(date)] Status: $STATUS"
  
  [[ "$STATUS" == "completed" || "$STATUS" == "failed" ]] && break
  
  sleep 300  # Check every 5 minutes
done

# Get results when complete
curl -H "Authorization: Bearer YOUR_TOKEN" \
  "http://localhost:8001/api/results/$JOB_ID" > final_results.json

python3 << 'EOF'
import json
with open('final_results.json') as f:
    result = json.load(f)
    grading = json.loads(result['stdout'])
    print(f"Final Score: {grading['test_fitness']}")
    print(f"Execution time: {grading['exec_time']}s")
EOF
