import requests
import json

def submit_solution(solution_path, competition_id, user_id="sarang", token="sarang"):
    """Submit a solution for grading"""
    url = "http://localhost:8001/api/submit"
    
    # Create config
    config = f"""competition_id: "{competition_id}"
project_id: "my_project"
user_id: "{user_id}"
expected_time: 60
token: "{token}"
"""
    
    # Submit
    with open(solution_path, 'rb') as code_file:
        files = {
            'code': code_file,
            'config_file': ('config.yaml', config, 'text/yaml')
        }
        response = requests.post(url, files=files)
    
    return response.json()

# Submit solution
result = submit_solution('my_solution.py', 'random-acts-of-pizza')

# Parse grading results
if result['status'] == 'completed':
    grading = json.loads(result['stdout'])
    
    print(f"Score: {grading['test_fitness']}")
    print(f"Execution time: {grading['exec_time']}s")
    print(f"Valid solution: {grading['valid_solution']}")
    
    report = grading['grading_report']
    print(f"\nMedal Status:")
    print(f"  Gold: {report['gold_medal']} (threshold: {report['gold_threshold']})")
    print(f"  Silver: {report['silver_medal']} (threshold: {report['silver_threshold']})")
    print(f"  Bronze: {report['bronze_medal']} (threshold: {report['bronze_threshold']})")
    print(f"  Above median: {report['above_median']}")
    
    # Results also saved locally on server as:
    # jobs/results/{user_id}_{competition_id}_{timestamp}.jsonl
else:
    print(f"Job {result['status']}: {result.get('message', 'Check later')}")
